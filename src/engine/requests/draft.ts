import type { Model, ModelInfo, Precision } from '../../model/model.ts';
import type { Explanation, Warning } from '../../shared/explanation.ts';
import type { Granularity, Unit } from '../../shared/tokens.ts';
import { buildUnits, markSinks, sectionsOf } from '../../shared/units.ts';
import type { PromptPass } from './promptPass.ts';
import type { TokenizedPrompt } from './promptTokens.ts';

/** Attention to the first token from which it counts as a sink. */
const sinkThreshold = 0.3;

/** What one composed explanation adds to the draft. */
export interface DraftParts {
  readonly response: Explanation['response'];
  readonly target: Explanation['target'];
  readonly method: Explanation['method'];
  readonly granularity: Granularity;
  readonly units: readonly Unit[];
  readonly scores: ArrayLike<number>;
  readonly scoreUnit?: string | undefined;
  readonly completeness?: Explanation['completeness'];
  readonly intervals?: Explanation['intervals'];
  readonly matrix?: Explanation['matrix'];
  readonly findings?: Explanation['findings'];
  /** Which arithmetic gave the scores; absent: that of the model's own forward pass. */
  readonly precision?: Precision | undefined;
  readonly faithfulness?: Explanation['faithfulness'];
  /** Warnings of this one only; those of the draft stand first. */
  readonly warnings?: readonly Warning[];
}

/** An explanation in the making: what stands before any score is known, and what has been spent and noticed so far. */
export class Draft {
  forwardPasses = 0;
  readonly warnings: Warning[];
  readonly #started = performance.now();
  readonly #model: Model;
  readonly #prompt: TokenizedPrompt;
  #pass: PromptPass | null = null;

  constructor(model: Model, prompt: TokenizedPrompt) {
    this.#model = model;
    this.#prompt = prompt;
    this.warnings = [...providerWarning(model.info), ...prompt.warnings];
  }

  /** What the pass over the prompt told: log-probabilities of the tokens, and whether the first one is a sink. */
  read(pass: PromptPass): void {
    this.#pass = pass;
  }

  /** Units at one granularity, with the first token marked when attention shows that it is a sink. */
  units(granularity: Granularity): Unit[] {
    const { text, tokens } = this.#prompt;
    const units = buildUnits(text, tokens, granularity, this.#prompt);
    const firstToken = units[0]?.kind === 'text' && (this.#pass?.firstTokenAttention ?? 0) >= sinkThreshold;
    return firstToken ? markSinks(units, text, tokens, { firstToken }) : units;
  }

  compose(parts: DraftParts): Explanation {
    const { name, file, sha256, format, architecture, quantization, precision, layers, heads, hidden } = this.#model.info;
    const { mode, text, uri, sections, sourceMap, tokens } = this.#prompt;
    const placed = sectionsOf(text, tokens, sections);
    return {
      schema: 1,
      model: {
        name,
        file,
        sha256,
        format,
        architecture,
        quantization,
        precision: parts.precision ?? precision,
        layers,
        heads,
        hidden,
      },
      prompt: {
        mode,
        text,
        ...(uri === undefined ? {} : { uri }),
        sections: sections.map((section) => ({ ...section })),
        sourceMap: sourceMap.map((segment) => ({ ...segment })),
      },
      tokens: tokens.map((token, index) => {
        const logprob = this.#pass?.logprobs[index] ?? null;
        return { ...token, ...placed[index], ...(logprob === null ? {} : { logprob }) };
      }),
      response: parts.response,
      target: parts.target,
      method: parts.method,
      granularity: parts.granularity,
      units: parts.units.map((unit) => ({ ...unit, tokens: [...unit.tokens] })),
      scores: Array.from(parts.scores),
      ...(parts.scoreUnit === undefined ? {} : { scoreUnit: parts.scoreUnit }),
      ...(parts.completeness === undefined ? {} : { completeness: parts.completeness }),
      ...(parts.intervals === undefined ? {} : { intervals: parts.intervals }),
      ...(parts.matrix === undefined ? {} : { matrix: parts.matrix }),
      ...(parts.findings === undefined ? {} : { findings: parts.findings }),
      faithfulness: parts.faithfulness ?? null,
      cost: { milliseconds: performance.now() - this.#started, forwardPasses: this.forwardPasses },
      warnings: [...this.warnings, ...(parts.warnings ?? [])],
    };
  }
}

/** Numbers of a graphics card are not those of the processor. */
function providerWarning({ provider }: ModelInfo): Warning[] {
  if (provider === undefined) return [];
  const message = `Computed on ${provider}: its numbers differ from those of the processor, and may differ from one run to the next.`;
  return [{ code: 'W_PROVIDER', message }];
}
