import { elementTypes, type GraphNode, type GraphTensor, type GraphValue, type OnnxGraph } from '../graph/graph.ts';

const halfTypes: ReadonlySet<number> = new Set([elementTypes.float16, elementTypes.bfloat16]);
/** Attributes that name the element type of a result. */
const typeAttributes = ['to', 'dtype', 'output_dtype', 'softmax_precision'];

/**
 * Lets a graph of 16-bit floats compute in 32 bits: weights stay as they are in the file and pass through a Cast, results of 16 bits become 32.
 * A second call does nothing.
 * @returns false when there was nothing to do
 */
export function computeInFloat32(graph: OnnxGraph): boolean {
  const casts: GraphNode[] = [];
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const renamed = new Map<string, string>();
  for (const { name, type } of graph.initializers.values()) {
    if (!halfTypes.has(type)) continue;
    const wide = `${name}/float32`;
    if (made.has(wide)) continue;
    renamed.set(name, wide);
    casts.push(castTo32(name, wide));
  }
  let changed = casts.length > 0;
  const nodes: GraphNode[] = [...casts];
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    for (const name of typeAttributes) {
      const value = node.attributes.get(name);
      if (value?.kind !== 'int' || !halfTypes.has(value.value)) continue;
      node.attributes.set(name, { kind: 'int', value: elementTypes.float32 });
      changed = true;
    }
    const value = node.attributes.get('value');
    if (node.op === 'ConstantOfShape' && value?.kind === 'tensor' && halfTypes.has(value.value.type)) {
      node.attributes.set('value', { kind: 'tensor', value: wideScalar(value.value) });
      changed = true;
    }
    nodes.push(node);
  }
  graph.nodes = nodes;
  const widen = (value: GraphValue): GraphValue => (halfTypes.has(value.type) ? { ...value, type: elementTypes.float32 } : value);
  graph.inputs = graph.inputs.map(widen);
  graph.outputs = graph.outputs.map((output) => {
    const wide = renamed.get(output.name);
    return widen(wide === undefined ? output : { ...output, name: wide });
  });
  return changed;
}

function castTo32(from: string, to: string): GraphNode {
  const attributes: GraphNode['attributes'] = new Map([['to', { kind: 'int', value: elementTypes.float32 }]]);
  return { op: 'Cast', domain: '', name: '', inputs: [from], outputs: [to], attributes };
}

function wideScalar({ name, dims, type, bytes }: GraphTensor): GraphTensor {
  const [low = 0, high = 0] = bytes ?? [];
  const value = Float32Array.of(
    type === elementTypes.float16 ? halfToNumber(low + 256 * high) : topHalfToNumber(low + 256 * high),
  );
  return { name, dims, type: elementTypes.float32, bytes: new Uint8Array(value.buffer), range: null };
}

/** IEEE 754 binary16: 1 bit sign, 5 bits exponent, 10 bits fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** bfloat16: the upper half of a binary32. */
function topHalfToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits * 65_536).buffer)[0] ?? NaN;
}
