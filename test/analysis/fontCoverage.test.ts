import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fontCoverage } from '../../src/analysis/export/fontCoverage.ts';

const folder = 'node_modules/dejavu-fonts-ttf';
const mono = readFileSync(`${folder}/ttf/DejaVuSansMono.ttf`);

/** Blocks of Unicode with the characters each font has, as its authors counted them: first, next block's first, count. */
function statedCoverage(column: number): (readonly [number, number, number])[] {
  const rows = readFileSync(`${folder}/unicover.txt`, 'utf8').matchAll(/^U\+([0-9a-f]+) .*$/gm);
  const counted = [...rows].map((row) => {
    const counts = [...row[0].matchAll(/\((\d+)\/\d+\)/g)].map(([, count]) => Number(count));
    return [Number.parseInt(row[1] ?? '', 16), counts[column] ?? 0] as const;
  });
  return counted.flatMap(([first, count], at) => {
    const next = counted[at + 1]?.[0];
    return next === undefined ? [] : [[first, next, count] as const];
  });
}

/** The authors leave control and private characters out; of the two blocks with format characters they count some, so those are left out here. */
const mixedBlocks = [0x2000, 0xfff0];
const isCounted = (codePoint: number) => !/[\p{Cc}\p{Cs}\p{Co}]/u.test(String.fromCodePoint(codePoint));

describe.each([
  ['DejaVuSans', 0],
  ['DejaVuSerif', 1],
  ['DejaVuSansMono', 2],
])('%s', (name, column) => {
  test('has as many characters of each block as its authors say', () => {
    const covers = fontCoverage(readFileSync(`${folder}/ttf/${name}.ttf`));
    const stated = statedCoverage(column).filter(([first]) => !mixedBlocks.includes(first));
    const found = stated.map(([first, next]) => {
      let count = 0;
      for (let codePoint = first; codePoint < next; codePoint++) if (isCounted(codePoint) && covers(codePoint)) count++;
      return count;
    });
    const wrong = stated.filter(([, , count], at) => count !== found[at]);
    expect(stated.length).toBeGreaterThan(100);
    expect(wrong).toEqual([]);
  });
});

test.each([
  ['A', true],
  ['−', true],
  ['Ж', true],
  ['巴', false],
  ['😀', false],
])('%s: %s', (letter, has) => {
  expect(fontCoverage(mono)(letter.codePointAt(0) ?? 0)).toBe(has);
});

test('a font in a collection', () => {
  // A collection's header, then the same font with its tables moved by the header's length.
  const header = Buffer.alloc(16);
  header.write('ttcf');
  header.writeUInt32BE(0x00010000, 4);
  header.writeUInt32BE(1, 8);
  header.writeUInt32BE(16, 12);
  const moved = Buffer.from(mono);
  for (let table = 0; table < moved.readUInt16BE(4); table++) {
    const at = 12 + 16 * table + 8;
    moved.writeUInt32BE(moved.readUInt32BE(at) + 16, at);
  }
  const covers = fontCoverage(Buffer.concat([header, moved]));
  expect(['A', '巴'].map((letter) => covers(letter.codePointAt(0) ?? 0))).toEqual([true, false]);
});

describe('files that are no fonts', () => {
  test.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('no font at all, only a line of text')],
    ['zeros', Buffer.alloc(4096)],
  ])('%s', (_name, bytes) => {
    expect(() => fontCoverage(bytes)).toThrow();
  });

  test('cut short or with bytes changed: an error or an answer, whatever is asked', () => {
    for (let cut = 0; cut < 4000; cut += 7) {
      const broken = Buffer.from(mono.subarray(0, mono.length - cut * 80));
      if (broken.length > cut) broken[cut] = 0xff;
      let covers: ReturnType<typeof fontCoverage> | null = null;
      try {
        covers = fontCoverage(broken);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
      for (const codePoint of [0, 65, 0xffff, 0x1f600]) expect([true, false, undefined]).toContain(covers?.(codePoint));
    }
  });
});
