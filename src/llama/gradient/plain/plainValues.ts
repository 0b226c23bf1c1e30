/** Forward values as plain tensors: of computed nodes, inputs, caches, and weights (unpacked where they are quantised). */
import { float32, type TensorHeader } from '../../graph/tensorHeader.ts';
import type { GraphBackend } from '../execution/backend.ts';
import { Emitter, type OperatorNumbers } from '../execution/emitter.ts';
import type { SegmentGraph } from '../execution/segmentGraph.ts';
import { newContext } from '../execution/tensorContext.ts';
import type { TapeTensor } from '../tape/tape.ts';
import { elementCount, forEachElement, fromMemory, type PlainTensor, zeros } from './plainTensor.ts';

const integer32 = 26;
const integer64 = 27;

/** @param graph computed, with every node kept */
export function plainValues(
  graph: SegmentGraph,
  backend: GraphBackend,
  numbers: OperatorNumbers,
): (tensor: TapeTensor) => PlainTensor {
  const known = new Map<TapeTensor, PlainTensor>();
  const read = (tensor: TapeTensor): PlainTensor => {
    if (tensor.kind === 'weight')
      return { ne: tensor.header.ne, data: Float64Array.from(unpacked(tensor.header, backend, numbers)) };
    if (tensor.kind === 'input' && tensor.bytes !== null) return fromBytes(tensor.header, tensor.bytes);
    const { header, raw } = graph.value(tensor);
    return header.type === float32 ? fromMemory(header, raw) : fromBytes(header, new Uint8Array(raw.buffer));
  };
  return (tensor) => {
    const value = known.get(tensor) ?? read(tensor);
    known.set(tensor, value);
    return value;
  };
}

function fromBytes(header: TensorHeader, bytes: Uint8Array): PlainTensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { ne, nb, type } = header;
  const result = zeros(ne);
  forEachElement(ne, (index, x, y, z, w) => {
    const place = x * nb[0] + y * nb[1] + z * nb[2] + w * nb[3];
    if (type === integer64) result.data[index] = Number(view.getBigInt64(place, true));
    else result.data[index] = type === integer32 ? view.getInt32(place, true) : view.getFloat32(place, true);
  });
  return result;
}

/** A weight in F32, contiguous. */
function unpacked(weight: TensorHeader, backend: GraphBackend, numbers: OperatorNumbers): Float32Array {
  const { functions, bufferType } = backend;
  const values = new Float32Array(elementCount(weight.ne));
  if (weight.type === float32) {
    functions.ggml_backend_tensor_get(weight.address, values, 0, values.byteLength);
    return values;
  }
  const context = newContext(functions, { tensors: 4, graphs: [4] });
  const allocator = functions.ggml_gallocr_new(bufferType);
  try {
    const result = new Emitter(functions, numbers, context).float32(weight);
    functions.ggml_set_output(result.address);
    const graph = functions.ggml_new_graph_custom(context, 4, false);
    functions.ggml_build_forward_expand(graph, result.address);
    functions.ggml_gallocr_alloc_graph(allocator, graph);
    backend.compute(graph, () => false);
    functions.ggml_backend_tensor_get(result.address, values, 0, values.byteLength);
    return values;
  } finally {
    functions.ggml_gallocr_free(allocator);
    functions.ggml_free(context);
  }
}
