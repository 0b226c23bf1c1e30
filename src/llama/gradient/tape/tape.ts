/** What one forward pass did, in order of computation: the raw material of a backward pass. Nothing here points into live memory but weights. */
import type { TensorHeader } from '../../graph/tensorHeader.ts';

interface TapeEntry {
  readonly header: TensorHeader;
  /** What this is a view of, followed to the tensor that owns the memory; null when it owns its own. */
  readonly root: TapeTensor | null;
}

/** A tensor no operation computes. */
export interface TapeLeaf extends TapeEntry {
  readonly kind:
    | 'weight'
    /** Tokens, positions, masks, row numbers. */
    | 'input'
    /** Keys or values of a layer; written by SET_ROWS and read through views. */
    | 'cache';
  /** An input's data. */
  readonly bytes: Uint8Array | null;
  /** SET_ROWS nodes that fill a cache. */
  readonly writers: TapeNode[];
}

export interface TapeNode extends TapeEntry {
  readonly kind: 'node';
  /** Order of computation; the same numbering as the site table's. */
  readonly index: number;
  /** `MUL_MAT`, `SOFT_MAX`, … */
  readonly operator: string;
  readonly sources: readonly (TapeTensor | null)[];
}

export type TapeTensor = TapeNode | TapeLeaf;

export interface Tape {
  readonly tokens: number;
  /** Positions whose logits the graph computes, ascending. */
  readonly outputs: readonly number[];
  readonly nodes: readonly TapeNode[];
}

/** Operand `index`. @throws Error when the graph is not of the form the operator has */
export function operand(node: TapeNode, index: number): TapeTensor {
  const source = node.sources[index];
  if (source === undefined || source === null) throw new Error(`${node.operator} ${node.header.name} has no operand ${index}`);
  return source;
}

/** Whether a tensor depends on what the model reads: not a weight, a mask or a position, nor a view of one. */
export function isActivation(tensor: TapeTensor): boolean {
  const { kind } = tensor.root ?? tensor;
  return kind === 'node' || kind === 'cache';
}

export const integerParameter = ({ header }: TapeNode, index: number) => header.operatorParameters.getInt32(4 * index, true);
export const floatParameter = ({ header }: TapeNode, index: number) => header.operatorParameters.getFloat32(4 * index, true);

/** `blk.3` of `ffn_out-3`; null for tensors outside the blocks. */
export function layerOf({ header }: TapeNode): number | null {
  const found = /-(\d+)(?: |$)/.exec(header.name);
  return found === null ? null : Number(found[1]);
}
