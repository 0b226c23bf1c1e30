import { closeSync, openSync } from 'node:fs';
import { WireType } from '@bufbuild/protobuf/wire';
import { onnxExternalData, onnxUnsupported } from '../../shared/onnxErrors.ts';
import { elementTypes, type FileRange, type GraphTensor } from '../graph/graph.ts';
import { bytesOf, clampToSafe, type Field, fields, type Span, text, varints, whole } from './fields.ts';
import { FileWindow } from './fileWindow.ts';
import type { Source } from './source.ts';
import { byteLength } from './tensorBytes.ts';
import { type TypedField, typedBytes, typedFields } from './typedData.ts';

/** Tensors up to this many bytes are kept in memory: shapes, axes, scales, ends of slices. */
const smallTensorBytes = 1024;
const rankLimit = 64;
/** What a tensor in an attribute may hold: it cannot be left in the file. */
const attributeBytes = 4 * 1024 * 1024;

interface Header {
  name: string;
  dims: number[];
  type: number;
  raw: Span | null;
  typed: TypedField[];
  external: Map<string, string>;
  isExternal: boolean;
}

/**
 * A TensorProto. Weights are not read: above `smallTensorBytes` the tensor tells its range.
 * @param inAttribute read the bytes in any case, since an attribute cannot point into a file
 * @throws E_ONNX_CORRUPT, E_ONNX_EXTERNAL_DATA, E_ONNX_UNSUPPORTED
 */
export function decodeTensor(source: Source, span: Span, inAttribute = false): GraphTensor {
  const header = decodeHeader(source, span);
  const { name, dims, type } = header;
  const shown = JSON.stringify(name.slice(0, 100));
  if (type === elementTypes.string) throw onnxUnsupported(source.path, `its tensor ${shown} holds texts`);
  const length = byteLength(dims, type);
  if (length === null)
    throw source.corrupt(`the tensor ${shown} has an impossible type (${type}) or shape [${dims.slice(0, 8).join()}]`);
  const small = length <= smallTensorBytes || inAttribute;
  if (inAttribute && length > attributeBytes)
    throw onnxUnsupported(source.path, `the tensor ${shown} in an attribute has ${length} bytes`);
  if (header.isExternal) return { name, dims, type, ...externalBytes(source, header, length, small) };
  if (length === 0) return { name, dims, type, bytes: new Uint8Array(0), range: null };

  const raw = header.raw ?? rawTypedData(header);
  if (raw === null) {
    const bytes = typedBytes(source, header.typed, type, length);
    if (bytes.length !== length)
      throw source.corrupt(`the tensor ${shown} holds ${bytes.length} bytes and its shape asks for ${length}`);
    return { name, dims, type, bytes, range: null };
  }
  const found = raw.end - raw.start;
  if (found !== length) throw source.corrupt(`the tensor ${shown} holds ${found} bytes and its shape asks for ${length}`);
  if (small) return { name, dims, type, bytes: source.window.copy(raw.start, length), range: null };
  return { name, dims, type, bytes: null, range: { file: source.file, offset: raw.start, length } };
}

function decodeHeader(source: Source, span: Span): Header {
  const header: Header = { name: '', dims: [], type: 0, raw: null, typed: [], external: new Map(), isExternal: false };
  for (const field of fields(source, span)) {
    if (field.number === 1) header.dims.push(...varints(source, field).map(clampToSafe));
    else if (field.number === 2) header.type = whole(source, field);
    else if (field.number === 3) throw source.corrupt('it stores a tensor in segments');
    else if (field.number === 8) header.name = text(source, field);
    else if (field.number === 9) header.raw = bytesOf(source, field);
    else if (field.number === 13) addEntry(source, field, header.external);
    else if (field.number === 14) header.isExternal = whole(source, field) === 1;
    else {
      const kind = typedFields.get(field.number);
      if (kind !== undefined) header.typed.push({ kind, field });
    }
    if (header.dims.length > rankLimit) throw source.corrupt(`a tensor has more than ${rankLimit} dimensions`);
  }
  return header;
}

/** Packed floats stand in the file as they would as raw data. */
function rawTypedData({ typed, type }: Header): Span | null {
  const [only] = typed;
  if (only === undefined || typed.length > 1 || only.field.wire !== WireType.LengthDelimited) return null;
  const plain =
    (only.kind === 'float' && type === elementTypes.float32) || (only.kind === 'double' && type === elementTypes.float64);
  return plain ? only.field : null;
}

function addEntry(source: Source, field: Field, entries: Map<string, string>): void {
  let key = '';
  let value = '';
  for (const part of fields(source, bytesOf(source, field))) {
    if (part.number === 1) key = text(source, part);
    else if (part.number === 2) value = text(source, part);
  }
  entries.set(key, value);
}

function externalBytes(
  source: Source,
  { name, external }: Header,
  length: number,
  small: boolean,
): { bytes: Uint8Array | null; range: FileRange | null } {
  const location = external.get('location') ?? '';
  const { file, path, bytes: fileBytes } = source.external.find(location);
  const refuse = (why: string) =>
    onnxExternalData(source.path, location, `the tensor ${JSON.stringify(name.slice(0, 100))} ${why}`);
  const offset = decimal(external.get('offset') ?? '0');
  const stated = decimal(external.get('length') ?? String(length));
  if (offset === null || stated === null) throw refuse('has an offset or a length that is no number');
  if (stated !== length) throw refuse(`holds ${stated} bytes and its shape asks for ${length}`);
  if (offset + length > fileBytes) throw refuse(`reaches to byte ${offset + length} of a file of ${fileBytes} bytes`);
  if (!small) return { bytes: null, range: { file, offset, length } };
  const descriptor = openSync(path, 'r');
  try {
    return { bytes: new FileWindow(descriptor, fileBytes).copy(offset, length), range: null };
  } finally {
    closeSync(descriptor);
  }
}

function decimal(value: string): number | null {
  return /^\d{1,15}$/.test(value) ? Number(value) : null;
}
