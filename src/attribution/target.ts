/** A target made concrete: which tokens follow the prompt, which rows of logits are read, and how one number comes of them. */
import type { GradientTarget } from '../model/gradient.ts';
import { type Model, outputWidth, type RowRead, type RowResult } from '../model/model.ts';
import { numeric, targetContrast, targetEmpty, targetRange } from '../shared/errorCatalog.ts';
import { outputKind } from '../shared/answerErrors.ts';
import type { Explanation } from '../shared/explanation.ts';
import type { ScoreKind, TargetSpec } from '../shared/target.ts';
import { answerTexts, classId, encodeAnswer, similarityHint } from './answers.ts';

export interface ResolvedTarget {
  /** What the explanation states about it; `value` is filled in by the first run. */
  readonly description: Omit<Explanation['target'], 'value'>;
  /** Teacher-forced tokens appended to the prompt (empty when only the next token is read). */
  readonly continuation: Int32Array;
  /** Rows to read when the prompt part has `promptLength` tokens. */
  reads(promptLength: number): readonly RowRead[];
  /** The explained number, in `description.unit`. */
  value(rows: readonly RowResult[]): number;
  /** The same number for each single token that is read, where it is a sum over tokens: `response[span[0] + i]` is part i. */
  parts?(rows: readonly RowResult[]): Float64Array;
  /** The same number as something a model can differentiate, when the prompt part has `promptLength` tokens. */
  gradient(promptLength: number): GradientTarget;
}

export interface TargetContext {
  readonly model: Model;
  /** The most likely token after the prompt. */
  readonly next: number;
  /** Token ids of the response, generated or given. */
  readonly response: readonly number[];
}

/**
 * Resolves what the user asked for. Without a `score`, a contrast and an `id` are in logits, everything else is a
 * log-probability in nats, summed over the target's tokens. See docs/targets.md.
 * @throws E_TARGET_EMPTY, E_TARGET_RANGE, E_TARGET_CONTRAST
 */
export async function resolveTarget(
  spec: TargetSpec,
  score: ScoreKind | undefined,
  context: TargetContext,
): Promise<ResolvedTarget> {
  if (context.model.info.task?.kind === 'embed' && spec.kind !== 'similarity') {
    throw outputKind('this target', 'a sentence encoder gives no words and no classes', similarityHint);
  }
  switch (spec.kind) {
    case 'next': {
      // A classifier's most likely answer is a class.
      const kind = context.model.info.task === undefined ? 'next' : 'class';
      return sequenceTarget(context, [], [context.next], kind, score ?? 'logprob');
    }
    case 'id':
      return idTarget(spec.id, score ?? 'logit', context);
    case 'text': {
      const ids = await encodeAnswer(context.model, spec.text);
      if (ids.length === 0)
        throw targetEmpty(
          `the target text ${JSON.stringify(spec.text)}`,
          'the tokenizer makes nothing of it',
          'give a text with at least one character',
        );
      return sequenceTarget(context, [], ids, 'text', score ?? 'logprob');
    }
    case 'response':
    case 'span':
      return spanTarget(spec, score ?? 'logprob', context);
    case 'contrast':
      return contrastTarget(spec, score ?? 'logit', context);
    case 'entropy':
      return entropyTarget(spec.at ?? 0, context);
    case 'kl':
      return await divergenceTarget(spec.prompt, context);
    case 'class':
      return await classTarget(spec.name, score ?? 'logprob', context);
    case 'similarity':
      return await similarityTarget(spec.text, context);
  }
}

/** Both are sums over the whole row, in nats; the asked `score` does not apply. */
const rowScore = { score: 'logprob', unit: 'nat', ids: [] } satisfies Partial<ResolvedTarget['description']>;

function entropyTarget(at: number, { response }: TargetContext): ResolvedTarget {
  checkPlace(at, response, 'the entropy');
  const position = (promptLength: number) => promptLength - 1 + at;
  return {
    description: { kind: 'entropy', label: 'entropy of the next token', ...rowScore, ...spanAt(at) },
    continuation: Int32Array.from(response.slice(0, at)),
    reads: (promptLength) => [{ position: position(promptLength), ids: [], entropy: true }],
    value: ([row]) => row?.entropy ?? Number.NaN,
    gradient: (promptLength) => ({ kind: 'entropy', position: position(promptLength) }),
  };
}

/** KL(next token after this prompt ‖ next token after the other), nats. @throws E_TARGET_EMPTY, E_NUMERIC, E_CONTEXT_OVERFLOW */
async function divergenceTarget(prompt: string, { model }: TargetContext): Promise<ResolvedTarget> {
  const { tokens } = await model.tokenizer.encode(prompt);
  if (tokens.length === 0) {
    throw targetEmpty('the other prompt', 'the tokenizer makes nothing of it', 'give a prompt with at least one character');
  }
  const ids = Int32Array.from(tokens, (token) => token.id);
  const { logits, nonFinite } = await model.forward({ tokens: ids, logits: 'last' });
  if (nonFinite !== null || logits === null) throw numeric(nonFinite ?? 'logits');
  const reference = softmax(logits.values);
  return {
    description: { kind: 'kl', label: `divergence from ${JSON.stringify(shortened(prompt))}`, ...rowScore },
    continuation: new Int32Array(0),
    reads: (promptLength) => [{ position: promptLength - 1, ids: [], reference }],
    value: ([row]) => row?.divergence ?? Number.NaN,
    gradient: (promptLength) => ({ kind: 'kl', position: promptLength - 1, reference, direction: 'to-reference' }),
  };
}

/** @throws E_OUTPUT_KIND for a model that is no classifier; E_CLASS_UNKNOWN */
async function classTarget(name: string, score: ScoreKind, context: TargetContext): Promise<ResolvedTarget> {
  const { task } = context.model.info;
  if (task?.kind !== 'classify') {
    throw outputKind('a class', 'it is no classifier', 'load a classifier, or explain a text: --target text:TEXT');
  }
  return await sequenceTarget(context, [], [classId(task.labels, name)], 'class', score);
}

/** The cosine of the text's embedding and that of another text. @throws E_OUTPUT_KIND, E_TARGET_EMPTY, E_NUMERIC */
async function similarityTarget(text: string, { model }: TargetContext): Promise<ResolvedTarget> {
  if (model.info.task?.kind !== 'embed') {
    throw outputKind('a similarity', 'it is no sentence encoder', 'load one, or choose another target');
  }
  const { tokens } = await model.tokenizer.encode(text);
  if (tokens.length === 0)
    throw targetEmpty('the other text', 'the tokenizer makes nothing of it', 'give a text to compare with');
  const { logits, nonFinite } = await model.forward({ tokens: Int32Array.from(tokens, ({ id }) => id), logits: 'last' });
  if (nonFinite !== null || logits === null) throw numeric(nonFinite ?? 'the embedding');
  const weights = logits.values;
  return {
    description: {
      kind: 'similarity',
      label: `similarity to ${JSON.stringify(shortened(text))}`,
      score: 'logit',
      unit: 'cosine',
      ids: [],
    },
    continuation: new Int32Array(0),
    reads: (promptLength) => [{ position: promptLength - 1, ids: [], weights }],
    value: ([row]) => row?.weighted ?? Number.NaN,
    gradient: (promptLength) => ({ kind: 'linear', rows: [{ position: promptLength - 1, weights }] }),
  };
}

/** Probabilities of a row of logits [V]; none is 0, so that a divergence from them is finite. */
function softmax(logits: Float32Array): Float32Array {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const powers = Float64Array.from(logits, (logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return Float32Array.from(powers, (power) => Math.max(power / sum, smallestProbability));
}

/** The smallest normal number of 32 bits. */
const smallestProbability = 2 ** -126;

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}

/** @throws E_TARGET_RANGE */
function checkPlace(at: number, response: readonly number[], what: string): void {
  if (Number.isInteger(at) && at >= 0 && at <= response.length) return;
  const why = `the response has ${response.length} tokens`;
  throw targetRange(`${at} response tokens cannot stand before ${what}`, why, `use a number from 0 to ${response.length}`);
}

function spanAt(at: number): { span?: [number, number] } {
  return at === 0 ? {} : { span: [at, at] };
}

/** Summed score of `ids`, each read after the prompt, `before` and the ids ahead of it. */
async function sequenceTarget(
  { model }: TargetContext,
  before: readonly number[],
  ids: readonly number[],
  kind: Explanation['target']['kind'],
  score: ScoreKind,
  span?: readonly [number, number],
): Promise<ResolvedTarget> {
  const label = (await answerTexts(model, ids)).join('');
  const first = (promptLength: number) => promptLength - 1 + before.length;
  return {
    description: { kind, label, score, unit: unitOf(score), ids: [...ids], ...(span === undefined ? {} : { span: [...span] }) },
    continuation: Int32Array.from([...before, ...ids.slice(0, -1)]),
    reads: (promptLength) => ids.map((id, step) => ({ position: first(promptLength) + step, ids: [id] })),
    value: (rows) => sumScore(rows, score),
    ...(score === 'prob'
      ? {}
      : { parts: (rows: readonly RowResult[]) => Float64Array.from(rows, (row) => scoreOf(row, 0, score)) }),
    gradient: (promptLength) => ({
      kind: sumKinds[score],
      terms: ids.map((id, step) => ({ position: first(promptLength) + step, id, weight: 1 })),
    }),
  };
}

function idTarget(id: number, score: ScoreKind, context: TargetContext): Promise<ResolvedTarget> {
  const { info } = context.model;
  const width = outputWidth(info);
  if (!Number.isInteger(id) || id < 0 || id >= width) {
    const [what, of] = info.task === undefined ? ['token', 'vocabulary has'] : ['output', 'answer has'];
    const why = `this model's ${of} ${width} ${what}s, counted from 0`;
    throw targetRange(`there is no ${what} ${id}`, why, `use an id from 0 to ${width - 1}`);
  }
  return sequenceTarget(context, [], [id], 'id', score);
}

function spanTarget(
  spec: Extract<TargetSpec, { kind: 'response' | 'span' }>,
  score: ScoreKind,
  context: TargetContext,
): Promise<ResolvedTarget> {
  const { response } = context;
  const last = response.length - 1;
  if (last < 0) {
    throw targetEmpty(
      'the response',
      'the model ended at once, or no token was asked for',
      'allow more tokens, give a response, or explain the next token',
    );
  }
  if (spec.kind === 'response') return sequenceTarget(context, [], response, 'response', score, [0, last]);
  const { from, to } = spec;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to < from || to > last) {
    const why = `the response has ${response.length} tokens, counted from 0, both ends included`;
    throw targetRange(`the response has no tokens ${from} to ${to}`, why, `use a span inside 0-${last}`);
  }
  return sequenceTarget(context, response.slice(0, from), response.slice(from, to + 1), 'span', score, [from, to]);
}

async function contrastTarget(
  { a, b, at = 0 }: Extract<TargetSpec, { kind: 'contrast' }>,
  score: ScoreKind,
  { model, response }: TargetContext,
): Promise<ResolvedTarget> {
  checkPlace(at, response, 'the contrast');
  const [idA] = await encodeAnswer(model, a);
  const [idB] = await encodeAnswer(model, b);
  if (idA === undefined || idB === undefined) {
    const empty = idA === undefined ? a : b;
    throw targetEmpty(
      `the target text ${JSON.stringify(empty)}`,
      'the tokenizer makes nothing of it',
      'give two texts with at least one character each',
    );
  }
  if (idA === idB) throw targetContrast(a, b);
  const [pieceA = '', pieceB = ''] = await answerTexts(model, [idA, idB]);
  return {
    description: {
      kind: 'contrast',
      label: `${pieceA} rather than ${pieceB}`,
      score,
      unit: unitOf(score),
      ids: [idA, idB],
      ...spanAt(at),
    },
    continuation: Int32Array.from(response.slice(0, at)),
    reads: (promptLength) => [{ position: promptLength - 1 + at, ids: [idA, idB] }],
    value: ([row]) => (row === undefined ? Number.NaN : scoreOf(row, 0, score) - scoreOf(row, 1, score)),
    gradient: (promptLength) => ({
      kind: termKinds[score],
      terms: [
        { position: promptLength - 1 + at, id: idA, weight: 1 },
        { position: promptLength - 1 + at, id: idB, weight: -1 },
      ],
    }),
  };
}

/** What of each single token a score adds up. */
const termKinds = { logit: 'logit', logprob: 'logprob', prob: 'probability' } as const;

/** The same for a sequence, whose probability is the product of its tokens'. */
const sumKinds = { ...termKinds, prob: 'joint-probability' } as const;

function unitOf(score: ScoreKind): Explanation['target']['unit'] {
  return score === 'logit' ? 'logit' : score === 'logprob' ? 'nat' : 'probability';
}

/** The score of the row's asked token number `which`. */
function scoreOf(row: RowResult, which: number, score: ScoreKind): number {
  const logit = row.logits[which] ?? Number.NaN;
  if (score === 'logit') return logit;
  const logprob = logit - row.logSumExp;
  return score === 'logprob' ? logprob : Math.exp(logprob);
}

/** Logits and log-probabilities add up over tokens; probabilities multiply. */
function sumScore(rows: readonly RowResult[], score: ScoreKind): number {
  const parts = rows.map((row) => scoreOf(row, 0, score === 'prob' ? 'logprob' : score));
  const sum = parts.reduce((total, part) => total + part, 0);
  return score === 'prob' ? Math.exp(sum) : sum;
}
