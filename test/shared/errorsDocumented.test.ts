/** docs/errors.md has a row for each code, with the kind the code really has, and no row for a code that is gone. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/errors.md', root), 'utf8');

const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(`src/${name.replaceAll('\\', '/')}`, root), 'utf8'));

/** Cells of the rows that begin with a code; `\|` is a bar inside a cell. */
const rows = page
  .split('\n')
  .filter((line) => /^\| `[EW]_/.test(line))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

/** `E_CODE kind` for an error, the code alone for a warning. */
const documented = rows.map(([code = '', , , , kind]) => [code.replaceAll('`', ''), kind].filter(Boolean).join(' '));

/** Codes as they are written where an error or a warning is made. */
function found(pattern: RegExp): string[] {
  return sources.flatMap((text) => [...text.matchAll(pattern)].map((match) => match.slice(1).join(' ')));
}

const errors = found(/code: '(E_[A-Z_]+)',\s*kind: '([a-z]+)'/g);
const warnings = found(/code: '(W_[A-Z_]+)'/g);

test('the search finds codes', () => {
  expect(errors).toContain('E_CANCELLED cancelled');
  expect(warnings).toContain('W_TRAILING_SPACE');
});

test('each error is made in one place', () => expect(errors.filter((code, i) => errors.indexOf(code) !== i)).toEqual([]));

test('each code has a row, each row a code', () =>
  expect([...documented].sort()).toEqual([...new Set([...errors, ...warnings])].sort()));

test('rows are in the order of the alphabet and without empty cells', () => {
  for (const letter of ['E', 'W']) {
    const codes = documented.filter((code) => code.startsWith(letter)).map((code) => code.split(' ')[0] ?? '');
    expect(codes).toEqual([...codes].sort());
  }
  expect(rows.flat().filter((cell) => cell === '')).toEqual([]);
});

test('every code that is quoted or thrown by comment is a code that exists', () => {
  // E_CODE stands for any code in the text that describes the format; E_TARGET begins a family of codes.
  const known = new Set([...documented.map((code) => code.split(' ')[0]), 'E_CODE', 'E_TARGET']);
  const named = found(/(?:@throws[^\n]*?|['"`])\b([EW]_[A-Z]+(?:_[A-Z]+)*)\b/g);
  expect([...new Set(named.filter((code) => !known.has(code)))]).toEqual([]);
});
