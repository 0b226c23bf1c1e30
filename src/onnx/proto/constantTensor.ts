import { elementTypes, type GraphNode, type GraphTensor } from '../graph/graph.ts';

/** The value of a Constant node as an initializer; null for other nodes, and for constants that are no tensor of numbers. */
export function constantTensor({ op, domain, outputs, attributes }: GraphNode): GraphTensor | null {
  const [name] = outputs;
  if (op !== 'Constant' || domain !== '' || name === undefined) return null;
  for (const [attribute, value] of attributes) {
    if (attribute === 'value' && value.kind === 'tensor') return { ...value.value, name };
    if (attribute === 'value_int' && value.kind === 'int') return whole(name, [], [value.value]);
    if (attribute === 'value_ints' && value.kind === 'ints') return whole(name, [value.value.length], value.value);
    if (attribute === 'value_float' && value.kind === 'float') return floating(name, [], [value.value]);
    if (attribute === 'value_floats' && value.kind === 'floats') return floating(name, [value.value.length], value.value);
  }
  return null;
}

function whole(name: string, dims: readonly number[], values: readonly number[]): GraphTensor {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { name, dims, type: elementTypes.int64, bytes, range: null };
}

function floating(name: string, dims: readonly number[], values: readonly number[]): GraphTensor {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { name, dims, type: elementTypes.float32, bytes, range: null };
}
