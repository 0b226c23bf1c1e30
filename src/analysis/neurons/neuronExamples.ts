import type { Model } from '../../model/model.ts';
import { activationsOf, type NeuronName } from './neuronEffects.ts';

/** A token at which a neuron is strongly active, in its surroundings. */
export interface NeuronExample {
  /** Number of the token in the text. */
  readonly index: number;
  readonly activation: number;
  readonly before: string;
  readonly token: string;
  readonly after: string;
}

export interface NeuronExamples {
  /** Tokens read; the first of each window is left out of everything below. */
  readonly tokens: number;
  readonly mean: number;
  readonly deviation: number;
  /** Share of tokens at which it is above 0. */
  readonly positive: number;
  /** Strongest first, one sign after the other: where it is most positive, and where it is most negative. */
  readonly highest: readonly NeuronExample[];
  readonly lowest: readonly NeuronExample[];
}

/** Tokens read together: what comes first in a window has less context. */
export const windowTokens = 256;
const shownBefore = 12;
const shownAfter = 5;

/**
 * Where in a text a neuron is active, window by window.
 * @throws as `captureSites`
 */
export async function neuronExamples(
  model: Model,
  ids: Int32Array,
  name: NeuronName,
  count: number,
  options: { readonly signal?: AbortSignal; readonly onWindow?: (done: number, total: number) => void } = {},
): Promise<NeuronExamples> {
  const size = Math.min(windowTokens, model.info.contextLength);
  const activations = new Float32Array(ids.length);
  for (let first = 0; first < ids.length; first += size) {
    const window = ids.slice(first, first + size);
    activations.set(await activationsOf(model, window, name, options.signal), first);
    options.onWindow?.(first + window.length, ids.length);
  }
  // The first token of a window is a sink: its activations are huge and mean nothing.
  const counted = [...activations.keys()].filter((index) => index % size !== 0 || ids.length === 1);
  const value = (index: number) => activations[index] as number;
  const mean = counted.reduce((sum, index) => sum + value(index), 0) / counted.length;
  const variance = counted.reduce((sum, index) => sum + (value(index) - mean) ** 2, 0) / counted.length;
  const order = counted.toSorted((a, b) => value(b) - value(a) || a - b);
  const example = async (index: number): Promise<NeuronExample> => {
    const start = index - (index % size);
    const text = (from: number, to: number) => model.tokenizer.decode([...ids.subarray(Math.max(start, from), to)]);
    return {
      index,
      activation: value(index),
      before: await text(index - shownBefore, index),
      token: await text(index, index + 1),
      after: await text(index + 1, Math.min(start + size, index + 1 + shownAfter)),
    };
  };
  return {
    tokens: ids.length,
    mean,
    deviation: Math.sqrt(variance),
    positive: counted.filter((index) => value(index) > 0).length / counted.length,
    highest: await Promise.all(order.slice(0, count).map(example)),
    lowest: await Promise.all(order.slice(-count).reverse().map(example)),
  };
}
