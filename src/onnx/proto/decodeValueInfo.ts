import type { GraphValue } from '../graph/graph.ts';
import { bytesOf, fields, type Span, text, whole } from './fields.ts';
import type { Source } from './source.ts';

/** A ValueInfoProto: name, element type and shape of an input or output. */
export function decodeValueInfo(source: Source, span: Span): GraphValue {
  let name = '';
  let tensor: Span | null = null;
  for (const field of fields(source, span)) {
    if (field.number === 1) name = text(source, field);
    else if (field.number === 2) {
      for (const kind of fields(source, bytesOf(source, field))) if (kind.number === 1) tensor = bytesOf(source, kind);
    }
  }
  let type = 0;
  let dims: (number | string)[] | null = null;
  if (tensor !== null) {
    for (const field of fields(source, tensor)) {
      if (field.number === 1) type = whole(source, field);
      else if (field.number === 2) dims = decodeShape(source, bytesOf(source, field));
    }
  }
  return { name, type, dims };
}

function decodeShape(source: Source, span: Span): (number | string)[] {
  const dims: (number | string)[] = [];
  for (const dimension of fields(source, span)) {
    if (dimension.number !== 1) continue;
    let size: number | string = '';
    for (const part of fields(source, bytesOf(source, dimension))) {
      if (part.number === 1) size = whole(source, part);
      else if (part.number === 2) size = text(source, part);
    }
    if (typeof size === 'number' && size < 0) size = '';
    dims.push(size);
    source.spend(1);
    if (dims.length > 64) throw source.corrupt('an input or output has more than 64 dimensions');
  }
  return dims;
}
