/** docs/errors.md lists exactly the codes that the source can give. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

function codes(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((match) => match[1] as string);
}

test('every code of the source stands in docs/errors.md, and no other', () => {
  const files = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const source = files.map((name) => readFileSync(path.join(root, 'src', name), 'utf8')).join('\n');
  const given = new Set(codes(source, /code: '([EW]_[A-Z_]+)'/g));
  const documented = new Set(codes(readFileSync(path.join(root, 'docs/errors.md'), 'utf8'), /^\| `([EW]_[A-Z_]+)` \|/gm));
  expect([...documented].sort()).toEqual([...given].sort());
});
