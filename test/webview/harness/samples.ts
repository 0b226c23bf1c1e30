/** Explanations and attention as the host would send them. */
import type { Explanation } from '../../../src/shared/explanation.ts';
import type { MethodChoice } from '../../../src/shared/protocol/panel.ts';
import type { Token } from '../../../src/shared/tokens.ts';

type UnitKind = Explanation['units'][number]['kind'];

/** A chat prompt cut into words; each part is a unit with its kind and score. */
export function explanationOf(
  parts: readonly (readonly [string, UnitKind, number])[],
  more: Partial<Explanation> = {},
): Explanation {
  let at = 0;
  const pieces = parts.map(([text, kind, score], index) => {
    const start = at;
    at += text.length;
    return { text, kind, score, start, end: at, index };
  });
  return {
    schema: 1,
    model: {
      name: 'SmolLM2-135M-Instruct',
      file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
      sha256: '0'.repeat(64),
      format: 'gguf',
      architecture: 'llama',
      quantization: 'Q4_1',
      precision: 'as-served',
      layers: 30,
      heads: 9,
      hidden: 576,
    },
    prompt: { mode: 'raw', text: pieces.map((piece) => piece.text).join(''), sections: [], sourceMap: [] },
    tokens: pieces.map((piece) => ({
      id: piece.index + 10,
      text: piece.text,
      start: piece.start,
      end: piece.end,
      special: piece.kind === 'special',
      ...(piece.index === 0 ? {} : { logprob: -0.35 * ((piece.index * 7) % 13) - 0.02 }),
    })),
    response: {
      text: ' Paris.',
      source: 'generated',
      tokens: [
        {
          id: 7042,
          text: ' Paris',
          logprob: -0.26,
          alternatives: [
            { id: 7042, text: ' Paris', logprob: -0.26 },
            { id: 253, text: ' a', logprob: -2.41 },
            { id: 260, text: ' the', logprob: -2.94 },
            { id: 4, text: ' Lyon', logprob: -4.8 },
          ],
        },
        {
          id: 30,
          text: '.',
          logprob: -0.41,
          alternatives: [
            { id: 30, text: '.', logprob: -0.41 },
            { id: 28, text: ',', logprob: -1.3 },
          ],
        },
      ],
    },
    target: { kind: 'next', label: '‘ Paris’', score: 'logprob', unit: 'nat', value: -0.26, span: [0, 0], ids: [7042] },
    method: { id: 'occlusion', parameters: {}, seed: 0 },
    granularity: 'word',
    units: pieces.map((piece) => ({
      label: piece.text.trim(),
      kind: piece.kind,
      start: piece.start,
      end: piece.end,
      tokens: [piece.index],
    })),
    scores: pieces.map((piece) => piece.score),
    faithfulness: {
      comprehensiveness: 2.31,
      sufficiency: 0.42,
      random: { comprehensiveness: 0.83, sufficiency: 1.94 },
      gain: 1.48,
      interval: [0.92, 2.04],
      fractions: [0.1, 0.2, 0.5],
      verdict: 'trusted',
      reason: 'Dropping the top words hurts clearly more than dropping random ones.',
    },
    cost: { milliseconds: 3240, forwardPasses: 41 },
    warnings: [],
    ...more,
  };
}

export const methods: MethodChoice[] = [
  {
    id: 'occlusion',
    family: 'Perturbation',
    label: 'Occlusion',
    assumption: 'Leaves out one unit at a time and measures how far the target moves.',
    cost: 'about 40 forward passes',
    unavailable: null,
  },
  {
    id: 'saliency',
    family: 'Gradient',
    label: 'Saliency',
    assumption: 'How sensitive the answer is to this word.',
    cost: 'about 2 forward passes',
    unavailable: 'm gives no gradients',
  },
  {
    id: 'attention',
    family: 'Flow',
    label: 'Attention',
    assumption: 'Where the last layer looks. Attention is not attribution.',
    cost: 'about 1 forward pass',
    unavailable: null,
  },
  {
    id: 'random',
    family: 'Control',
    label: 'Random (control)',
    assumption: 'Random scores.',
    cost: 'no forward pass',
    unavailable: null,
  },
];

/** A few lines with every kind of unit, both signs and all strengths. */
export function capitalExplanation(more: Partial<Explanation> = {}): Explanation {
  const words = 'You are a helpful geography teacher. Answer in one word.'.split(/(?<= )/);
  const question = 'The Eiffel Tower stands in the largest city of the country, and the capital of France is'.split(/(?<= )/);
  const scores = [
    0.2, 0.05, -0.15, 0.3, 0.9, 0.4, 0.1, -0.6, 0.8, -1.4, 1.1, 2.2, 0.6, 0.3, 0.1, -0.9, 1.6, 0.4, 0.2, -0.3, 0.1, 2.6, 0.8,
    3.21, 1.9,
  ];
  let next = 0;
  const scored = (word: string): readonly [string, UnitKind, number] => [word, 'text', scores[next++ % scores.length] ?? 0];
  const explanation = explanationOf(
    [
      ['<|im_start|>', 'special', 4.1],
      ['system\n', 'template', 0.7],
      ...words.map(scored),
      ['<|im_end|>\n', 'special', 1.2],
      ['<|im_start|>', 'special', 0.3],
      ['user\n', 'template', 0.2],
      ['The ', 'sink', 3.5],
      ...question.slice(1).map(scored),
      ['<|im_end|>\n', 'special', 0.9],
      ['<|im_start|>assistant\n', 'template', 0.4],
    ],
    more,
  );
  const { text } = explanation.prompt;
  const section = (role: 'system' | 'user', from: string, to: string) => {
    const start = text.indexOf(from);
    return { kind: 'message' as const, label: role, role, start, end: text.indexOf(to, start) + to.length };
  };
  return {
    ...explanation,
    prompt: {
      ...explanation.prompt,
      mode: 'chat',
      sections: [section('system', 'You are', 'word.'), section('user', 'The Eiffel', 'France is')],
    },
    warnings: more.warnings ?? [
      { code: 'W_NOISE', message: 'Effects below 0.13 nat are within the noise of this quantisation.' },
    ],
  };
}

/** The same scores, told for each token of the response alone. */
export function withMatrix(explanation: Explanation): Explanation {
  const rows = explanation.response.tokens.map((_, index) => index);
  const scores = rows.map((row) => explanation.scores.map((score, unit) => score * Math.cos(row + unit)));
  return { ...explanation, matrix: { rows, scores, unit: 'nat' } };
}

/** A faithfulness check with its curves. */
export const curves = {
  deletion: [
    [0, -0.26],
    [0.1, -3.9],
    [0.2, -5.2],
    [0.5, -7.4],
    [1, -9.1],
  ],
  randomDeletion: [
    [0, -0.26],
    [0.1, -0.9],
    [0.2, -2.1],
    [0.5, -5.6],
    [1, -9.1],
  ],
} satisfies NonNullable<NonNullable<Explanation['faithfulness']>['curves']>;

/** Text that would be markup, reorder its surroundings or vanish, were it not made visible. */
export const hostileTexts = [
  '<img src=x onerror="window.hacked=1">',
  '\u202eevil\u202c',
  '\u0007\u0000\u001b[31m',
  '</span><script>window.hacked=2</script>',
  '\u200b\ufeff',
  '\ud800',
  'שלום',
  '👩‍👩‍👧',
] as const;

export function hostileExplanation(): Explanation {
  const base = explanationOf(hostileTexts.map((text, index) => [`${text} `, 'text', index - 3] as const));
  const token = {
    id: 1,
    text: hostileTexts[0],
    logprob: -0.5,
    alternatives: hostileTexts.map((text, id) => ({ id, text, logprob: -1 - id })),
  };
  return {
    ...base,
    model: { ...base.model, name: hostileTexts[3] },
    response: { text: hostileTexts[0], source: 'generated', tokens: [token] },
    target: { ...base.target, label: `${hostileTexts[0]}${hostileTexts[1]}` },
    warnings: [{ code: hostileTexts[0], message: hostileTexts[3] }],
  };
}

/** Causal attention with a sink on the first token and a band near the diagonal; each row sums to 1. [query, key] */
export function attentionValues(tokens: number, layer: number, head: number): Float32Array {
  const values = new Float32Array(tokens * tokens);
  for (let query = 0; query < tokens; query += 1) {
    let sum = 0;
    for (let key = 0; key <= query; key += 1) {
      const near = Math.exp(-Math.abs(query - key - head) / (1 + layer));
      const pattern = (key * 7 + layer * 3 + head) % 11 === 0 ? 0.8 : 0.02;
      const weight = (key === 0 ? 1.2 + head * 0.1 : 0) + near + pattern;
      values[query * tokens + key] = weight;
      sum += weight;
    }
    for (let key = 0; key <= query; key += 1) values[query * tokens + key] = (values[query * tokens + key] ?? 0) / sum;
  }
  return values;
}

export function gridMessage(words: readonly string[], layers: number, heads: number) {
  const size = Math.min(words.length, 24);
  const thumbnails = new Float32Array(layers * heads * size * size);
  for (let layer = 0; layer < layers; layer += 1) {
    for (let head = 0; head < heads; head += 1) {
      thumbnails.set(attentionValues(size, layer, head), (layer * heads + head) * size * size);
    }
  }
  let at = 0;
  const tokens: Token[] = words.map((text, id) => {
    const start = at;
    at += text.length;
    return { id, text, start, end: at, special: false };
  });
  return { type: 'grid' as const, tokens, layers, heads, size, thumbnails };
}

const weightedBy = { label: ' Paris', unit: 'nat' };

/** The same attention times a gradient of both signs. */
function weighted(values: Float32Array): Float32Array {
  return values.map((value, index) => value * 0.02 * Math.sin(index * 1.7));
}

export function weightedGridMessage(words: readonly string[], layers: number, heads: number) {
  const grid = gridMessage(words, layers, heads);
  return { ...grid, thumbnails: weighted(grid.thumbnails), weightedBy };
}

export function weightedHeadMessage(tokens: number, layer: number, head: number) {
  const plain = headMessage(tokens, layer, head);
  return { ...plain, values: weighted(plain.values), weightedBy };
}

export function headMessage(tokens: number, layer: number, head: number) {
  return { type: 'head' as const, layer, head, shape: [tokens, tokens] as const, values: attentionValues(tokens, layer, head) };
}
