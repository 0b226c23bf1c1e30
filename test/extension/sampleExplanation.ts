import type { Explanation } from '../../src/shared/explanation.ts';
import type { UnitKind } from '../../src/shared/tokens.ts';

export interface SampleUnit {
  readonly text: string;
  readonly score: number;
  readonly kind?: UnitKind;
}

/** An explanation whose prompt is the units' texts put together, one token a unit; template units stand in no document. */
export function sampleExplanation(parts: readonly SampleUnit[], overrides: Partial<Explanation> = {}): Explanation {
  let text = '';
  let documentLength = 0;
  const sourceMap: Explanation['prompt']['sourceMap'] = [];
  const tokens: Explanation['tokens'] = [];
  const units: Explanation['units'] = [];
  parts.forEach((part, index) => {
    const start = text.length;
    text += part.text;
    const end = text.length;
    const kind = part.kind ?? 'text';
    if (kind !== 'template' && kind !== 'special') {
      sourceMap.push({ start, end, documentStart: documentLength });
      documentLength += part.text.length;
    }
    tokens.push({ id: index, text: part.text, start, end, special: kind === 'special' });
    const lead = part.text.length - part.text.trimStart().length;
    units.push({ start: start + lead, end, label: part.text.trim(), kind, tokens: [index] });
  });
  return {
    schema: 1,
    model: {
      name: 'sample',
      file: '/models/sample.gguf',
      sha256: '',
      format: 'gguf',
      architecture: 'llama',
      quantization: 'Q4_1',
      precision: 'as-served',
      layers: 1,
      heads: 1,
      hidden: 8,
    },
    prompt: { mode: 'raw', text, sections: [], sourceMap },
    tokens,
    response: { text: '', source: 'generated', tokens: [] },
    target: { kind: 'next', label: ' Paris', score: 'logit', unit: 'logit', value: 12.5, ids: [1] },
    method: { id: 'occlusion', parameters: {}, seed: 0 },
    granularity: 'word',
    units,
    scores: parts.map((part) => part.score),
    faithfulness: null,
    cost: { milliseconds: 1, forwardPasses: 1 },
    warnings: [],
    ...overrides,
  };
}

/** The document that `sampleExplanation` explains. */
export function sampleDocument(parts: readonly SampleUnit[]): string {
  return parts
    .filter((part) => part.kind !== 'template' && part.kind !== 'special')
    .map((part) => part.text)
    .join('');
}

/** Splits a text into one part a word (its leading white space included), each with a score of its own. */
export function partsOf(text: string): SampleUnit[] {
  return [...text.matchAll(/\s*\S+|\s+$/gu)].map(([word], index) => ({ text: word, score: index + 1 }));
}
