/** What an operator's derivative is, or what stands for it. One file an operator; `ruleTable.ts` lists them. */
import type { TensorHeader } from '../../graph/tensorHeader.ts';
import type { Emitter } from '../execution/emitter.ts';
import type { MatrixProducts } from '../execution/matrixProducts.ts';
import type { TapeNode, TapeTensor } from '../tape/tape.ts';

/** What a rule works with while the backward graph is laid out. */
export interface BackwardContext {
  readonly emit: Emitter;
  readonly products: MatrixProducts;
  /** Tokens of the sequence. */
  readonly tokens: number;
  /** The value the forward pass computed, in this graph. Asking for it keeps it until the backward pass has used it. */
  readonly value: (tensor: TapeTensor) => TensorHeader;
  /** The same in the run on the reference input, where there is one. */
  readonly reference: (tensor: TapeTensor) => TensorHeader;
  /** Whether something that is asked for depends on this tensor. */
  readonly needs: (tensor: TapeTensor) => boolean;
  /** Adds to the gradient of a tensor; does nothing when the tensor is not needed. */
  readonly accumulate: (tensor: TapeTensor, gradient: TensorHeader) => void;
  /** The gradient collected so far, or null. */
  readonly collected: (tensor: TapeTensor) => TensorHeader | null;
  /** Replaces what was collected. */
  readonly replace: (tensor: TapeTensor, gradient: TensorHeader) => void;
  /** Remembers that a cache was read here, until the node that wrote it is reached. */
  readonly noteCacheRead: (cache: TapeTensor, read: CacheRead) => void;
  readonly cacheReads: (cache: TapeTensor) => readonly CacheRead[];
}

export interface CacheRead {
  readonly view: TapeNode;
  readonly gradient: TensorHeader;
}

export interface OperatorRule {
  /** ggml's name: `MUL_MAT`. */
  readonly operator: string;
  /** Why this use of the operator has no rule, or null; asked before anything is computed. */
  refusal?(node: TapeNode, numbers: Emitter['numbers'], tokens: number): string | null;
  /** Emits d target / d operand for each operand that is needed, given `gradient` = d target / d node. */
  backward(context: BackwardContext, node: TapeNode, gradient: TensorHeader): void;
}

/** Rules by operator. */
export type RuleTable = ReadonlyMap<string, OperatorRule>;
