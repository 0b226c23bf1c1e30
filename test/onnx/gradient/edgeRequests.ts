/** Requests at the edges of what `model.gradient` takes, in one list for every kind of model. */
import type { GradientPathRequest, GradientRequest, GradientTarget } from '../../../src/model/gradient.ts';
import type { Site } from '../../../src/model/sites.ts';

/** Sizes of the model the requests are for. */
const [hidden, heads, vocabulary] = [64, 4, 320];

const prompt = Int32Array.of(17, 201, 33, 5, 144, 61, 250);
const last = prompt.length - 1;
const embed: Site = { kind: 'embed' };
const at = (kind: Site['kind'], layer: number): Site => ({ kind, layer });
const wave = (count: number) => Float32Array.from({ length: count }, (_, index) => Math.sin(index + 1));
/** But queries and keys: llama.cpp's file has their numbers in another order. */
const everywhere: readonly Site[] = [
  embed,
  ...[0, 1].flatMap((layer) =>
    (['resid_pre', 'v', 'scores', 'pattern', 'z', 'attn_out', 'resid_mid', 'mlp_post', 'mlp_out', 'resid_post'] as const).map(
      (kind) => at(kind, layer),
    ),
  ),
  { kind: 'final_norm' },
];
const term = (position: number, id: number, weight = 1) => ({ position, id, weight });
const logit = (position = last): GradientTarget => ({ kind: 'logit', terms: [term(position, 5)] });
const cotangent = (site: Site, numbers: number): GradientTarget => ({ kind: 'cotangent', site, values: wave(numbers) });
const stream = (layer: number, tokens = prompt.length) => cotangent(at('resid_post', layer), tokens * hidden);
const share = new Float32Array(vocabulary).fill(1 / vocabulary);
const half = (tokens: number) => wave(tokens * hidden).map((value) => value / 2);

const ofPrompt = (request: Omit<GradientRequest, 'tokens'>): GradientRequest => ({ tokens: prompt, ...request });
const ofOneToken = (target: GradientTarget, sites = everywhere): GradientRequest => ({
  tokens: Int32Array.of(9),
  targets: [target],
  at: sites,
});

export const edgeRequests: Readonly<Record<string, GradientRequest>> = {
  'a cotangent, no site': ofPrompt({ targets: [stream(0)], at: [] }),
  'a cotangent, no site, a capture': ofPrompt({ targets: [stream(0)], at: [], capture: [at('resid_mid', 1), embed] }),
  'a cotangent, no site, given embeddings': ofPrompt({ targets: [stream(1)], at: [], embeddings: half(prompt.length) }),
  'a logit, no site': ofPrompt({ targets: [logit()], at: [] }),
  'an entropy, no site': ofPrompt({ targets: [{ kind: 'entropy', position: last }], at: [] }),
  'two targets, no site': ofPrompt({ targets: [stream(0), logit()], at: [] }),
  'no target': ofPrompt({ targets: [], at: [embed] }),
  'no target, a capture': ofPrompt({ targets: [], at: [], capture: [at('z', 1)] }),
  'neither target nor site': ofPrompt({ targets: [], at: [] }),
  'a cotangent at the embeddings themselves': ofPrompt({ targets: [cotangent(embed, prompt.length * hidden)], at: [embed] }),
  'a cotangent at the embeddings, no site': ofPrompt({ targets: [cotangent(embed, prompt.length * hidden)], at: [] }),
  'a cotangent at the embeddings that are given': ofPrompt({
    targets: [cotangent(embed, prompt.length * hidden)],
    at: [embed],
    embeddings: half(prompt.length),
  }),
  'a cotangent at its own site, before and behind it': ofPrompt({
    targets: [stream(0)],
    at: [embed, at('resid_post', 0), at('resid_mid', 1), { kind: 'final_norm' }],
  }),
  'a cotangent, sites behind it alone': ofPrompt({ targets: [stream(0)], at: [at('resid_mid', 1)] }),
  'a cotangent of nothing': ofPrompt({
    targets: [{ kind: 'cotangent', site: at('z', 1), values: new Float32Array(prompt.length * hidden) }],
    at: [embed],
  }),
  'a cotangent at the logits': ofPrompt({ targets: [cotangent({ kind: 'logits' }, prompt.length * vocabulary)], at: [embed] }),
  'a cotangent at the logits, of one token': ofOneToken(cotangent({ kind: 'logits' }, vocabulary), [embed]),
  'a cotangent at the last norm': ofPrompt({
    targets: [cotangent({ kind: 'final_norm' }, prompt.length * hidden)],
    at: everywhere,
  }),
  'a cotangent at attention': ofPrompt({ targets: [cotangent(at('pattern', 1), heads * prompt.length ** 2)], at: everywhere }),
  'a cotangent at masked scores': ofPrompt({ targets: [cotangent(at('scores', 1), heads * prompt.length ** 2)], at: [embed] }),
  'a cotangent of another size': ofPrompt({ targets: [cotangent(at('z', 0), 3)], at: [embed] }),
  'a cotangent that is no number': ofPrompt({
    targets: [{ kind: 'cotangent', site: embed, values: new Float32Array(prompt.length * hidden).fill(Number.NaN) }],
    at: [embed],
  }),
  'the same site twice': ofPrompt({ targets: [logit()], at: [embed, at('z', 1), embed, at('z', 1)] }),
  'a stream under both its names': ofPrompt({
    targets: [logit()],
    at: [at('resid_post', 0), at('resid_pre', 1), embed, at('resid_pre', 0)],
  }),
  'the same capture twice': ofPrompt({ targets: [logit()], at: [embed], capture: [at('z', 1), at('z', 1)] }),
  'captured and differentiated': ofPrompt({ targets: [logit()], at: everywhere, capture: everywhere }),
  'logits captured': ofPrompt({ targets: [logit()], at: [embed], capture: [{ kind: 'logits' }] }),
  'logits captured, of a cotangent': ofPrompt({ targets: [stream(0)], at: [embed], capture: [{ kind: 'logits' }] }),
  'by the logits': ofPrompt({ targets: [logit()], at: [{ kind: 'logits' }] }),
  'one token: a logit': ofOneToken(logit(0)),
  'one token: a log-probability': ofOneToken({ kind: 'logprob', terms: [term(0, 3)] }),
  'one token: an entropy': ofOneToken({ kind: 'entropy', position: 0 }),
  'one token: a divergence': ofOneToken({ kind: 'kl', position: 0, reference: share, direction: 'to-reference' }),
  'one token: a cotangent': ofOneToken(stream(0, 1)),
  'one token: a cotangent, no site': ofOneToken(stream(0, 1), []),
  'the first position': ofPrompt({ targets: [logit(0)], at: everywhere }),
  'the last position': ofPrompt({ targets: [logit()], at: everywhere }),
  'a span': ofPrompt({ targets: [{ kind: 'logprob', terms: [term(3, 1), term(4, 2), term(last, 3)] }], at: everywhere }),
  'a span, its rows out of order': ofPrompt({
    targets: [{ kind: 'joint-probability', terms: [term(last, 1), term(1, 2), term(4, 3)] }],
    at: [embed],
  }),
  'every row': ofPrompt({
    targets: [{ kind: 'logprob', terms: Array.from(prompt, (_, position) => term(position, position, 0.5)) }],
    at: everywhere,
  }),
  'a token against itself': ofPrompt({ targets: [{ kind: 'logit', terms: [term(last, 7), term(last, 7, -1)] }], at: [embed] }),
  'a token against itself, log-probability': ofPrompt({
    targets: [{ kind: 'logprob', terms: [term(last, 7), term(last, 7, -1)] }],
    at: [embed],
  }),
  'a term twice': ofPrompt({ targets: [{ kind: 'probability', terms: [term(2, 7), term(2, 7)] }], at: [embed] }),
  'weights of zero': ofPrompt({ targets: [{ kind: 'logprob', terms: [term(last, 7, 0), term(2, 3, 0)] }], at: [embed] }),
  'no term': ofPrompt({ targets: [{ kind: 'logit', terms: [] }], at: [embed] }),
  'a linear target without rows': ofPrompt({ targets: [{ kind: 'linear', rows: [] }], at: [embed] }),
  'a linear target with one row twice': ofPrompt({
    targets: [
      {
        kind: 'linear',
        rows: [
          { position: 2, weights: wave(vocabulary) },
          { position: 2, weights: share },
        ],
      },
    ],
    at: [embed],
  }),
  'the same target twice': ofPrompt({ targets: [logit(), logit()], at: [embed] }),
  'targets of different rows and kinds': ofPrompt({
    targets: [logit(2), stream(0), { kind: 'entropy', position: 4 }, cotangent(at('z', 1), prompt.length * hidden)],
    at: [embed, at('resid_mid', 0)],
    capture: [at('resid_mid', 0)],
  }),
  'a later target is wrong': ofPrompt({ targets: [logit(), logit(prompt.length)], at: [embed] }),
  'a position beyond the prompt': ofPrompt({ targets: [logit(prompt.length)], at: [embed] }),
  'a token the model does not have': ofPrompt({ targets: [{ kind: 'logit', terms: [term(0, vocabulary)] }], at: [embed] }),
  'a token the model cannot read': { tokens: Int32Array.of(1, vocabulary), targets: [logit(0)], at: [embed] },
  'a prompt of nothing': { tokens: new Int32Array(0), targets: [logit(0)], at: [embed] },
  'a prompt too long': { tokens: new Int32Array(100_000).fill(4), targets: [logit(0)], at: [embed] },
  'a layer beyond the last': ofPrompt({ targets: [logit()], at: [at('z', 2)] }),
  'a site of no layer': ofPrompt({ targets: [logit()], at: [{ kind: 'z' }] }),
  'embeddings given': ofPrompt({ targets: [logit()], at: everywhere, embeddings: half(prompt.length) }),
  'embeddings of another size': ofPrompt({ targets: [logit()], at: [embed], embeddings: half(2) }),
  'embeddings captured as given': ofPrompt({
    targets: [logit()],
    at: [embed],
    capture: [embed],
    embeddings: half(prompt.length),
  }),
  'embeddings that are no numbers': ofPrompt({
    targets: [logit()],
    at: [embed],
    embeddings: new Float32Array(prompt.length * hidden).fill(Number.NaN),
  }),
  'a reference without the rules for it': ofPrompt({
    targets: [logit()],
    at: [embed],
    embeddings: half(prompt.length),
    reference: half(prompt.length),
  }),
  'rescale: the same input twice': ofPrompt({
    targets: [logit()],
    at: [embed],
    rules: 'rescale',
    embeddings: half(prompt.length),
    reference: half(prompt.length),
  }),
  'rescale: a cotangent, no site': ofPrompt({
    targets: [stream(0)],
    at: [],
    rules: 'rescale',
    embeddings: half(prompt.length),
    reference: wave(prompt.length * hidden),
  }),
  'rescale: a logit, no site': ofPrompt({
    targets: [logit()],
    at: [],
    rules: 'rescale',
    embeddings: half(prompt.length),
    reference: wave(prompt.length * hidden),
  }),
  'rescale: a cotangent at the embeddings that are given': ofPrompt({
    targets: [cotangent(embed, prompt.length * hidden), logit()],
    at: [embed, at('z', 0)],
    rules: 'rescale',
    embeddings: half(prompt.length),
    reference: wave(prompt.length * hidden),
  }),
  'a cotangent at the logits beside a logit': ofPrompt({
    targets: [logit(2), cotangent({ kind: 'logits' }, prompt.length * vocabulary)],
    at: [embed, { kind: 'final_norm' }],
    capture: [{ kind: 'logits' }, at('z', 0)],
  }),
  'relevance: a cotangent, no site': ofPrompt({ targets: [stream(1)], at: [], rules: 'relevance' }),
  'dequantised: a cotangent, no site': ofPrompt({ targets: [stream(0)], at: [], precision: 'dequantised' }),
};

const path = (request: Partial<GradientPathRequest>): GradientPathRequest => ({
  tokens: prompt,
  target: logit(),
  at: [embed],
  from: half(prompt.length),
  to: wave(prompt.length * hidden),
  points: [
    { fraction: 0.25, weight: 0.5 },
    { fraction: 0.75, weight: 0.5 },
  ],
  ...request,
});

export const edgePaths: Readonly<Record<string, GradientPathRequest>> = {
  'a path without sites': path({ at: [] }),
  'a path of a cotangent': path({ target: stream(0), at: [embed, at('z', 0), at('z', 1)] }),
  'a path of a cotangent, no site': path({ target: stream(0), at: [] }),
  'a path without points': path({ points: [] }),
  'a path with one site twice': path({ at: [embed, at('z', 1), embed] }),
  'a path that stays where it is': path({ to: half(prompt.length) }),
  'a point of no weight': path({ points: [{ fraction: 0, weight: 0 }] }),
  'a point beyond the ends': path({ points: [{ fraction: 1.5, weight: -2 }] }),
  'a point that is no number': path({ points: [{ fraction: Number.NaN, weight: 1 }] }),
  'ends of another size': path({ from: half(2) }),
  'a path of one token': path({
    tokens: Int32Array.of(3),
    target: { kind: 'logprob', terms: [term(0, 1)] },
    from: half(1),
    to: wave(hidden),
  }),
};
