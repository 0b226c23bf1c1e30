/** The plain form of an operator's derivative: loops over doubles, written to be read. The reference for `../rules`. */
import type { OperatorNumbers } from '../execution/emitter.ts';
import type { TapeNode, TapeTensor } from '../tape/tape.ts';
import type { PlainTensor } from './plainTensor.ts';

export interface PlainContext {
  readonly numbers: OperatorNumbers;
  readonly value: (tensor: TapeTensor) => PlainTensor;
  readonly needs: (tensor: TapeTensor) => boolean;
  /** The gradient collected for a tensor so far, to be added to; in contiguous order. */
  readonly gradientOf: (tensor: TapeTensor) => Float64Array;
}

/** @param gradient d target / d node, contiguous */
export type PlainRule = (context: PlainContext, node: TapeNode, gradient: Float64Array) => void;

/** Rules by operator. */
export type PlainRuleTable = Readonly<Record<string, PlainRule>>;

export function addAt(array: Float64Array, index: number, value: number): void {
  array[index] = (array[index] as number) + value;
}
