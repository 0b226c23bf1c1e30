import { onnxUnsupported } from '../../shared/onnxErrors.ts';
import type { GraphNode, GraphTensor, GraphValue, SubGraph } from '../graph/graph.ts';
import { constantTensor } from './constantTensor.ts';
import { decodeAttribute } from './decodeAttribute.ts';
import { decodeTensor } from './decodeTensor.ts';
import { decodeValueInfo } from './decodeValueInfo.ts';
import { bytesOf, fields, type Span, text } from './fields.ts';
import type { Source } from './source.ts';

const depthLimit = 16;
/** A decoded node weighs about as much as this many numbers. */
const nodeWeight = 40;

/** A GraphProto as it stands in the file: not yet checked, not sorted. Constant nodes have become initializers. */
export function decodeGraph(source: Source, span: Span, depth = 0): SubGraph {
  if (depth > depthLimit) throw source.corrupt(`it nests graphs more than ${depthLimit} deep`);
  const nodes: GraphNode[] = [];
  const initializers = new Map<string, GraphTensor>();
  const inputs: GraphValue[] = [];
  const outputs: GraphValue[] = [];
  const addInitializer = (tensor: GraphTensor) => {
    if (initializers.has(tensor.name)) throw source.corrupt(`two constants have the name ${JSON.stringify(tensor.name)}`);
    initializers.set(tensor.name, tensor);
  };
  for (const field of fields(source, span)) {
    source.spend(nodeWeight);
    if (field.number === 1) {
      const node = decodeNode(source, bytesOf(source, field), depth);
      const tensor = constantTensor(node);
      if (tensor === null) nodes.push(node);
      else addInitializer(tensor);
    } else if (field.number === 5) addInitializer(decodeTensor(source, bytesOf(source, field)));
    else if (field.number === 11) inputs.push(decodeValueInfo(source, bytesOf(source, field)));
    else if (field.number === 12) outputs.push(decodeValueInfo(source, bytesOf(source, field)));
    else if (field.number === 15) throw onnxUnsupported(source.path, 'it holds sparse tensors');
  }
  // An input that has a value is a default the caller could replace; here it is a constant.
  return { nodes, initializers, inputs: inputs.filter(({ name }) => !initializers.has(name)), outputs };
}

function decodeNode(source: Source, span: Span, depth: number): GraphNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributeSpans: Span[] = [];
  let name = '';
  let op = '';
  let domain = '';
  for (const field of fields(source, span)) {
    if (field.number === 1) inputs.push(text(source, field));
    else if (field.number === 2) outputs.push(text(source, field));
    else if (field.number === 3) name = text(source, field);
    else if (field.number === 4) op = text(source, field);
    else if (field.number === 5) attributeSpans.push(bytesOf(source, field));
    else if (field.number === 7) domain = text(source, field);
    else if (field.number === 8 && text(source, field) !== '') {
      throw onnxUnsupported(source.path, 'it calls one of several local functions of the same name');
    }
  }
  if (op === '') throw source.corrupt(`a node at byte ${span.start} has no operator`);
  if (domain === 'ai.onnx') domain = '';
  const isConstant = op === 'Constant' && domain === '';
  const attributes = new Map(
    attributeSpans.map((attribute) =>
      decodeAttribute(source, attribute, isConstant, (inner) => decodeGraph(source, inner, depth + 1)),
    ),
  );
  return { op, domain, name, inputs, outputs, attributes };
}
