/** Whether a font has a glyph for a character (Unicode code point); glyph 0 is the box that stands for none. */
export type FontCoverage = (codePoint: number) => boolean;

/**
 * Reads the character map of a TrueType or OpenType font, or of the first font of a collection: subtables of format 4 and 12, which every
 * font of today has (OpenType specification, `cmap`). The file is not trusted.
 * @throws RangeError where the file ends too early, Error where it is no font or has no such map
 */
export function fontCoverage(font: Uint8Array): FontCoverage {
  const data = new DataView(font.buffer, font.byteOffset, font.byteLength);
  const maps = unicodeMaps(data, characterMap(data));
  if (maps.length === 0) throw new Error('it has no map of Unicode characters');
  return (codePoint) => maps.some((hasGlyph) => hasGlyph(codePoint));
}

/** Where the table `cmap` begins. */
function characterMap(data: DataView): number {
  const start = tagAt(data, 0) === 'ttcf' ? data.getUint32(12) : 0;
  const kind = data.getUint32(start);
  if (kind !== 0x00010000 && !['OTTO', 'true'].includes(tagAt(data, start)))
    throw new Error('it is no TrueType or OpenType font');
  const tables = data.getUint16(start + 4);
  for (let table = 0; table < tables; table++) {
    const record = start + 12 + 16 * table;
    if (tagAt(data, record) === 'cmap') return data.getUint32(record + 8);
  }
  throw new Error('it has no map of characters');
}

function unicodeMaps(data: DataView, start: number): FontCoverage[] {
  const maps: FontCoverage[] = [];
  const count = data.getUint16(start + 2);
  for (let record = start + 4; record < start + 4 + 8 * count; record += 8) {
    const platform = data.getUint16(record);
    const encoding = data.getUint16(record + 2);
    // Unicode, or Windows with the Basic Multilingual Plane or all of Unicode.
    if (platform !== 0 && !(platform === 3 && (encoding === 1 || encoding === 10))) continue;
    const subtable = start + data.getUint32(record + 4);
    const format = data.getUint16(subtable);
    if (format === 4) maps.push(segmentMap(data, subtable));
    if (format === 12) maps.push(groupMap(data, subtable));
  }
  return maps;
}

/** Format 4: segments of the first 65,536 characters, in ascending order of their ends. */
function segmentMap(data: DataView, start: number): FontCoverage {
  const bytes = data.getUint16(start + 6);
  const ends = start + 14;
  const starts = ends + bytes + 2;
  data.getUint16(starts + 3 * bytes - 2);
  return (codePoint) => {
    if (codePoint > 0xffff) return false;
    for (let at = 0; at < bytes; at += 2) {
      if (data.getUint16(ends + at) < codePoint) continue;
      const first = data.getUint16(starts + at);
      if (first > codePoint) return false;
      const delta = data.getUint16(starts + bytes + at);
      const place = starts + 2 * bytes + at;
      const offset = data.getUint16(place);
      if (offset === 0) return ((codePoint + delta) & 0xffff) !== 0;
      const glyph = place + offset + 2 * (codePoint - first);
      return glyph + 2 <= data.byteLength && data.getUint16(glyph) !== 0;
    }
    return false;
  };
}

/** Format 12: groups of characters with consecutive glyphs. */
function groupMap(data: DataView, start: number): FontCoverage {
  const count = data.getUint32(start + 12);
  if (count > 0) data.getUint32(start + 12 + 12 * count);
  return (codePoint) => {
    for (let group = 0; group < count; group++) {
      const at = start + 16 + 12 * group;
      const first = data.getUint32(at);
      if (first <= codePoint && codePoint <= data.getUint32(at + 4)) return data.getUint32(at + 8) + codePoint - first !== 0;
    }
    return false;
  };
}

function tagAt(data: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((at) => data.getUint8(offset + at)));
}
