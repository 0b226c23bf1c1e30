/** Messages of an ONNX file; numbers are those of onnx.proto. */
import { type BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { AttributeValue, GraphNode, GraphTensor, GraphValue, SubGraph } from '../graph/graph.ts';

const { Varint, LengthDelimited, Bit32 } = WireType;

export function message(writer: BinaryWriter, field: number, write: (writer: BinaryWriter) => void): void {
  writer.tag(field, LengthDelimited).fork();
  write(writer);
  writer.join();
}

export function writeNode(writer: BinaryWriter, node: GraphNode): void {
  for (const name of node.inputs) writer.tag(1, LengthDelimited).string(name);
  for (const name of node.outputs) writer.tag(2, LengthDelimited).string(name);
  if (node.name !== '') writer.tag(3, LengthDelimited).string(node.name);
  writer.tag(4, LengthDelimited).string(node.op);
  for (const [name, value] of node.attributes) {
    if (value.kind === 'other') writer.tag(5, LengthDelimited).bytes(value.value);
    else message(writer, 5, (part) => writeAttribute(part, name, value));
  }
  if (node.domain !== '') writer.tag(7, LengthDelimited).string(node.domain);
}

const attributeTypes = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;

function writeAttribute(writer: BinaryWriter, name: string, attribute: Exclude<AttributeValue, { kind: 'other' }>): void {
  writer.tag(1, LengthDelimited).string(name);
  switch (attribute.kind) {
    case 'float':
      writer.tag(2, Bit32).float(attribute.value);
      break;
    case 'int':
      writer.tag(3, Varint).int64(attribute.value);
      break;
    case 'string':
      writer.tag(4, LengthDelimited).string(attribute.value);
      break;
    case 'tensor':
      message(writer, 5, (part) => writeTensor(part, attribute.value));
      break;
    case 'graph':
      message(writer, 6, (part) => writeSubGraph(part, attribute.value));
      break;
    case 'floats':
      for (const value of attribute.value) writer.tag(7, Bit32).float(value);
      break;
    case 'ints':
      for (const value of attribute.value) writer.tag(8, Varint).int64(value);
      break;
    case 'strings':
      for (const value of attribute.value) writer.tag(9, LengthDelimited).string(value);
      break;
  }
  writer.tag(20, Varint).int32(attributeTypes[attribute.kind]);
}

export function writeTensor(writer: BinaryWriter, { name, dims, type, bytes, range }: GraphTensor): void {
  for (const dim of dims) writer.tag(1, Varint).int64(dim);
  writer.tag(2, Varint).int32(type);
  writer.tag(8, LengthDelimited).string(name);
  if (range === null) {
    writer.tag(9, LengthDelimited).bytes(bytes ?? new Uint8Array(0));
    return;
  }
  const entries = { location: range.file, offset: String(range.offset), length: String(range.length) };
  for (const [key, value] of Object.entries(entries)) {
    message(writer, 13, (part) => part.tag(1, LengthDelimited).string(key).tag(2, LengthDelimited).string(value));
  }
  writer.tag(14, Varint).int32(1);
}

export function writeValueInfo(writer: BinaryWriter, { name, type, dims }: GraphValue): void {
  writer.tag(1, LengthDelimited).string(name);
  if (type === 0) return;
  message(writer, 2, (kind) =>
    message(kind, 1, (tensor) => {
      tensor.tag(1, Varint).int32(type);
      if (dims !== null) message(tensor, 2, (shape) => writeShape(shape, dims));
    }),
  );
}

function writeShape(writer: BinaryWriter, dims: readonly (number | string)[]): void {
  for (const dim of dims) {
    message(writer, 1, (part) => {
      if (typeof dim === 'number') part.tag(1, Varint).int64(dim);
      else if (dim !== '') part.tag(2, LengthDelimited).string(dim);
    });
  }
}

function writeSubGraph(writer: BinaryWriter, { nodes, initializers, inputs, outputs }: SubGraph): void {
  for (const node of nodes) message(writer, 1, (part) => writeNode(part, node));
  writer.tag(2, LengthDelimited).string('branch');
  for (const tensor of initializers.values()) message(writer, 5, (part) => writeTensor(part, tensor));
  for (const input of inputs) message(writer, 11, (part) => writeValueInfo(part, input));
  for (const output of outputs) message(writer, 12, (part) => writeValueInfo(part, output));
}
