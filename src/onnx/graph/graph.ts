/**
 * An ONNX graph as everything in `src/onnx` sees it: nodes and tensor headers. Weights stay in the file; a tensor tells where.
 * The wire format is the business of `proto/` alone.
 */

/** `TensorProto.DataType`, the kinds that occur in language models. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
} as const;

/** Bytes of a file that hold a tensor; `file` is relative to the model's folder. */
export interface FileRange {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** An initializer, or a tensor in an attribute. */
export interface GraphTensor {
  readonly name: string;
  readonly dims: readonly number[];
  /** Code of `elementTypes`; other codes occur and are passed on. */
  readonly type: number;
  /** Small tensors: their little-endian bytes. Else `range` says where they are. */
  readonly bytes: Uint8Array | null;
  readonly range: FileRange | null;
}

export type AttributeValue =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: GraphTensor }
  | { readonly kind: 'graph'; readonly value: SubGraph }
  /** A kind that is only passed on: its bytes as they stood in the file. */
  | { readonly kind: 'other'; readonly value: Uint8Array };

/** Not readonly where a rewrite changes it: consumers of a tensor are rewired by replacing names in `inputs`. */
export interface GraphNode {
  readonly op: string;
  /** '' for ai.onnx. */
  readonly domain: string;
  readonly name: string;
  /** '' where an optional input is left out. */
  inputs: string[];
  outputs: string[];
  attributes: Map<string, AttributeValue>;
}

/** An input or output: `dims` has numbers where they are fixed and names where not. Null: not a tensor, or no shape given. */
export interface GraphValue {
  readonly name: string;
  readonly type: number;
  readonly dims: readonly (number | string)[] | null;
}

/** A branch of If or the body of Loop. */
export interface SubGraph {
  nodes: GraphNode[];
  initializers: Map<string, GraphTensor>;
  inputs: GraphValue[];
  outputs: GraphValue[];
}

export interface OnnxGraph extends SubGraph {
  /** Topologically sorted. */
  nodes: GraphNode[];
  irVersion: number;
  /** Domain ('' = ai.onnx) → version. */
  opsets: Map<string, number>;
  /** Absolute folder of the model file: where `FileRange.file` is looked up. */
  readonly folder: string;
  /** Local functions of the model, as their bytes stood in the file. */
  functions: Uint8Array[];
}

/** `MatMul`, `com.microsoft:MatMulNBits`: the key of every table of operators. */
export function operatorKey({ op, domain }: Pick<GraphNode, 'op' | 'domain'>): string {
  return domain === '' ? op : `${domain}:${op}`;
}

export function intAttribute(node: GraphNode, name: string, otherwise: number): number {
  const found = node.attributes.get(name);
  return found?.kind === 'int' ? found.value : otherwise;
}

export function floatAttribute(node: GraphNode, name: string, otherwise: number): number {
  const found = node.attributes.get(name);
  return found?.kind === 'float' ? found.value : otherwise;
}

export function intsAttribute(node: GraphNode, name: string): readonly number[] | null {
  const found = node.attributes.get(name);
  return found?.kind === 'ints' ? found.value : null;
}

export function stringAttribute(node: GraphNode, name: string, otherwise: string): string {
  const found = node.attributes.get(name);
  return found?.kind === 'string' ? found.value : otherwise;
}
