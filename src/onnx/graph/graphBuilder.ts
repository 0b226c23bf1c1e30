/** Writes nodes: what lowering and differentiation say instead of spelling out protobuf. Knows how operators changed between opsets. */
import { type AttributeValue, elementTypes, type GraphNode, type GraphTensor, type OnnxGraph } from './graph.ts';

type ShortAttribute = number | readonly number[] | string | AttributeValue;

/** A float attribute; plain numbers are whole. */
export function float(value: number): AttributeValue {
  return { kind: 'float', value };
}

/**
 * Collects new nodes in `nodes` and adds constants to the graph. Names begin with `loupe/`, which no exporter uses.
 * One builder a graph: equal constants are made once.
 */
export class GraphBuilder {
  readonly nodes: GraphNode[] = [];
  #count = 0;
  readonly #constants = new Map<string, string>();

  constructor(
    readonly graph: OnnxGraph,
    /** Tells the names of two builders on one graph apart. */
    private readonly prefix = 'loupe',
  ) {}

  /** Version of ai.onnx. */
  get opset(): number {
    return this.graph.opsets.get('') ?? 1;
  }

  fresh(hint: string): string {
    return `${this.prefix}/${hint}_${this.#count++}`;
  }

  /** Adds a node with one output and returns its name. */
  node(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, ShortAttribute>> = {},
    options: { readonly domain?: string; readonly output?: string } = {},
  ): string {
    const output = options.output ?? this.fresh(op);
    this.nodeWithOutputs(op, inputs, [output], attributes, options.domain);
    return output;
  }

  nodeWithOutputs(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, ShortAttribute>> = {},
    domain = '',
  ): void {
    if (domain !== '' && !this.graph.opsets.has(domain)) this.graph.opsets.set(domain, 1);
    const entries = Object.entries(attributes).map(([name, value]): [string, AttributeValue] => [name, attribute(value)]);
    this.nodes.push({ op, domain, name: '', inputs: [...inputs], outputs: [...outputs], attributes: new Map(entries) });
  }

  constant(dims: readonly number[], values: Float32Array | BigInt64Array | Int32Array | Uint8Array): string {
    const key = values.length <= 64 ? `${values.constructor.name}[${dims.join()}]${values.join()}` : null;
    const known = key === null ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.fresh('constant');
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const tensor: GraphTensor = { name, dims, type: typeOf(values), bytes, range: null };
    this.graph.initializers.set(name, tensor);
    if (key !== null) this.#constants.set(key, name);
    return name;
  }

  /** [n] int64 */
  ints(...values: readonly number[]): string {
    return this.constant([values.length], BigInt64Array.from(values, BigInt));
  }

  /** [] int64 */
  int(value: number): string {
    return this.constant([], BigInt64Array.of(BigInt(value)));
  }

  /** [] float32 */
  number(value: number): string {
    return this.constant([], Float32Array.of(value));
  }

  add(a: string, b: string): string {
    return this.node('Add', [a, b]);
  }

  subtract(a: string, b: string): string {
    return this.node('Sub', [a, b]);
  }

  multiply(a: string, b: string): string {
    return this.node('Mul', [a, b]);
  }

  divide(a: string, b: string): string {
    return this.node('Div', [a, b]);
  }

  sum(x: string, axes: readonly number[], keepDims = true): string {
    const keepdims = keepDims ? 1 : 0;
    return this.opset >= 13
      ? this.node('ReduceSum', [x, this.ints(...axes)], { keepdims })
      : this.node('ReduceSum', [x], { axes, keepdims });
  }

  mean(x: string, axes: readonly number[], keepDims = true): string {
    const keepdims = keepDims ? 1 : 0;
    return this.opset >= 18
      ? this.node('ReduceMean', [x, this.ints(...axes)], { keepdims })
      : this.node('ReduceMean', [x], { axes, keepdims });
  }

  unsqueeze(x: string, axes: readonly number[]): string {
    return this.opset >= 13 ? this.node('Unsqueeze', [x, this.ints(...axes)]) : this.node('Unsqueeze', [x], { axes });
  }

  squeeze(x: string, axes: readonly number[]): string {
    return this.opset >= 13 ? this.node('Squeeze', [x, this.ints(...axes)]) : this.node('Squeeze', [x], { axes });
  }

  split(x: string, axis: number, sizes: readonly number[]): string[] {
    const outputs = sizes.map(() => this.fresh('Split'));
    if (this.opset >= 13) this.nodeWithOutputs('Split', [x, this.ints(...sizes)], outputs, { axis });
    else this.nodeWithOutputs('Split', [x], outputs, { axis, split: sizes });
    return outputs;
  }

  /** Elements start…end (end excluded) of one axis. */
  slice(x: string, axis: number, start: number, end: number): string {
    return this.node('Slice', [x, this.ints(start), this.ints(end), this.ints(axis)]);
  }

  /** A · B, either transposed in its last two axes without a copy. */
  matMul(a: string, b: string, transpose: { readonly a?: boolean; readonly b?: boolean } = {}): string {
    if (transpose.a !== true && transpose.b !== true) return this.node('MatMul', [a, b]);
    const attributes = { transA: transpose.a === true ? 1 : 0, transB: transpose.b === true ? 1 : 0 };
    return this.node('FusedMatMul', [a, b], attributes, { domain: 'com.microsoft' });
  }

  shape(x: string): string {
    return this.node('Shape', [x]);
  }

  reshape(x: string, dims: readonly number[]): string {
    return this.node('Reshape', [x, this.ints(...dims)]);
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.node('Transpose', [x], { perm });
  }

  castToFloat(x: string): string {
    return this.node('Cast', [x], { to: elementTypes.float32 });
  }
}

function attribute(value: ShortAttribute): AttributeValue {
  if (typeof value === 'number') return { kind: 'int', value };
  if (typeof value === 'string') return { kind: 'string', value };
  if (isList(value)) return { kind: 'ints', value };
  return value;
}

function isList(value: ShortAttribute): value is readonly number[] {
  return Array.isArray(value);
}

function typeOf(values: Float32Array | BigInt64Array | Int32Array | Uint8Array): number {
  if (values instanceof Float32Array) return elementTypes.float32;
  if (values instanceof BigInt64Array) return elementTypes.int64;
  return values instanceof Int32Array ? elementTypes.int32 : elementTypes.uint8;
}
