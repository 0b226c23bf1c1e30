import type { AttributeValue, SubGraph } from '../graph/graph.ts';
import { decodeTensor } from './decodeTensor.ts';
import { bytesOf, clampToSafe, type Field, fields, floats, type Span, text, varint, varints } from './fields.ts';
import type { Source } from './source.ts';

/** AttributeProto.AttributeType of the kinds that are decoded, and the field each stands in. */
const kinds = { float: 1, int: 2, string: 3, tensor: 4, graph: 5, floats: 6, ints: 7, strings: 8 } as const;
const fieldOfKind: readonly (readonly [field: number, kind: number])[] = [
  [2, kinds.float],
  [3, kinds.int],
  [4, kinds.string],
  [5, kinds.tensor],
  [6, kinds.graph],
  [7, kinds.floats],
  [8, kinds.ints],
  [9, kinds.strings],
];
const otherBytes = 1024 * 1024;

/**
 * An AttributeProto.
 * @param ofConstant its tensor may stay in the file, since the node becomes an initializer
 * @param decodeGraph decodes a branch of If or a body of Loop
 */
export function decodeAttribute(
  source: Source,
  span: Span,
  ofConstant: boolean,
  decodeGraph: (span: Span) => SubGraph,
): [name: string, value: AttributeValue] {
  let name = '';
  let type = 0;
  const parts: Field[] = [];
  for (const field of fields(source, span)) {
    source.spend(1);
    if (field.number === 1) name = text(source, field);
    else if (field.number === 20) type = Number(varint(source, field));
    else parts.push(field);
  }
  // Files of the first versions leave the type out.
  if (type === 0) type = fieldOfKind.find(([number]) => parts.some((part) => part.number === number))?.[1] ?? 0;
  const wanted = fieldOfKind.find(([, kind]) => kind === type)?.[0];
  const own = parts.filter((part) => part.number === wanted);
  const isReference = parts.some((part) => part.number === 21);
  if (wanted === undefined || isReference) return [name, other(source, span)];
  return [name, decodeValue(source, type, own, ofConstant, decodeGraph) ?? other(source, span)];
}

function decodeValue(
  source: Source,
  type: number,
  own: readonly Field[],
  ofConstant: boolean,
  decodeGraph: (span: Span) => SubGraph,
): AttributeValue | null {
  const last = own.at(-1);
  switch (type) {
    case kinds.float:
      return { kind: 'float', value: last === undefined ? 0 : (floats(source, last)[0] ?? 0) };
    case kinds.int:
      return { kind: 'int', value: last === undefined ? 0 : clampToSafe(varint(source, last)) };
    case kinds.string:
      return { kind: 'string', value: last === undefined ? '' : text(source, last) };
    case kinds.floats:
      return { kind: 'floats', value: own.flatMap((field) => floats(source, field)) };
    case kinds.ints:
      return { kind: 'ints', value: own.flatMap((field) => varints(source, field).map(clampToSafe)) };
    case kinds.strings:
      return { kind: 'strings', value: own.map((field) => text(source, field)) };
    case kinds.tensor:
      return last === undefined ? null : { kind: 'tensor', value: decodeTensor(source, bytesOf(source, last), !ofConstant) };
    case kinds.graph:
      return last === undefined ? null : { kind: 'graph', value: decodeGraph(bytesOf(source, last)) };
    default:
      return null;
  }
}

function other(source: Source, { start, end }: Span): AttributeValue {
  if (end - start > otherBytes) throw source.corrupt(`an attribute at byte ${start} has ${end - start} bytes`);
  source.spend(end - start);
  return { kind: 'other', value: source.window.copy(start, end - start) };
}
