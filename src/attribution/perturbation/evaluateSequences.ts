import type { CallOptions, Model, ModelInfo, RowResult } from '../../model/model.ts';
import { prefixOrder, sharedLength } from '../../model/prefixOrder.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { ResolvedTarget } from '../target.ts';

export interface EvaluateOptions extends CallOptions {
  /** Called as each value becomes known, in whatever order the model worked. */
  readonly onValue?: (index: number, value: number) => void;
}

/**
 * The target's value on each of several prompts, in the order given. The model may share work between prompts that begin alike;
 * the values are those of one forward pass each.
 * @param prompts token ids, none empty; the target's continuation is appended here
 * @throws E_NUMERIC when a value is not finite, and as `Model.forwardVariants`
 */
export async function evaluateSequences(
  model: Model,
  prompts: readonly Int32Array[],
  target: ResolvedTarget,
  options: EvaluateOptions = {},
): Promise<Float64Array> {
  return Float64Array.from(await evaluateRows(model, prompts, target, options), (rows) => target.value(rows));
}

/** The rows of logits behind those values, as `target.reads` asks for them. @throws as `evaluateSequences` */
export async function evaluateRows(
  model: Model,
  prompts: readonly Int32Array[],
  target: ResolvedTarget,
  options: EvaluateOptions = {},
): Promise<(readonly RowResult[])[]> {
  if (prompts.length === 0) return [];
  const { signal, onValue } = options;
  const variants = prompts.map((prompt) => ({
    tokens: withContinuation(prompt, target.continuation),
    read: target.reads(prompt.length),
  }));
  // A callback must not throw into the model: what is not finite is found after the run, in a fixed order.
  const results = await model.forwardVariants(
    { variants },
    {
      ...(signal === undefined ? {} : { signal }),
      ...(onValue === undefined
        ? {}
        : {
            onResult: (index, result) => {
              const value = target.value(result.read);
              if (Number.isFinite(value)) onValue(index, value);
            },
          }),
    },
  );
  return results.map(({ read }) => {
    if (!Number.isFinite(target.value(read))) throw numeric('the target');
    return read;
  });
}

export function withContinuation(prompt: Int32Array, continuation: Int32Array): Int32Array {
  const joined = new Int32Array(prompt.length + continuation.length);
  joined.set(prompt);
  joined.set(continuation, prompt.length);
  return joined;
}

/** How a model meets prompts that begin alike; one that does not hold what it read last need not say so. */
type BeginningsOf = Pick<ModelInfo, 'sharesBeginnings'> & Partial<Pick<ModelInfo, 'holdsBeginnings'>>;

/**
 * What evaluating prompts together costs, in passes over a prompt of `length` tokens. On a model that shares beginnings each counts
 * from where it leaves the one evaluated before it, in the order in which neighbours share most; on any other each counts whole.
 * @param readBefore a prompt that the model has read just before: it is there to begin with, if the model holds it
 */
export function sharedPasses(
  { sharesBeginnings, holdsBeginnings = false }: BeginningsOf,
  prompts: readonly Int32Array[],
  length: number,
  continuationLength: number,
  readBefore?: Int32Array,
): number {
  const held = holdsBeginnings && readBefore !== undefined ? readBefore : new Int32Array(0);
  let before: Int32Array = held;
  let sum = 0;
  for (const index of prefixOrder(prompts, held)) {
    const prompt = prompts[index] as Int32Array;
    const shared = sharesBeginnings ? Math.min(prompt.length - 1, sharedLength(prompt, before)) : 0;
    sum += prompt.length - shared + continuationLength;
    before = prompt;
  }
  return sum / (length + continuationLength);
}
