import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';

const models = join(import.meta.dirname, '../../../models');

interface CatalogEntry {
  readonly name: string;
  readonly repository: string;
  readonly revision: string | null;
  readonly file: string;
  readonly bytes: number | null;
  readonly licence: string;
  readonly sha256: string | null;
}

test('the bundled model has the checksum and size that models/README.md states', async () => {
  const readme = readFileSync(join(models, 'README.md'), 'utf8');
  const file = join(models, /`([^`]+\.gguf)`/.exec(readme)?.[1] ?? '');
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  expect(readme).toContain(`\`${hash.digest('hex')}\``);
  expect(readme).toContain(`${statSync(file).size.toLocaleString('en-US')} bytes`);
});

test('the catalogue is complete and plausible', () => {
  const { models: entries } = JSON.parse(readFileSync(join(models, 'catalog.json'), 'utf8')) as { models: CatalogEntry[] };
  expect(entries.length).toBeGreaterThan(0);
  expect(new Set(entries.map(({ repository, file }) => `${repository}/${file}`)).size).toBe(entries.length);
  for (const { name, repository, revision, file, bytes, licence, sha256 } of entries) {
    expect(name).not.toBe('');
    expect(repository).toMatch(/^[\w.-]+\/[\w.-]+$/);
    expect(file).toMatch(/^[\w.-]+\.gguf$/);
    if (revision !== null) expect(revision).toMatch(/^[0-9a-f]{40}$/);
    expect(licence).not.toBe('');
    if (bytes !== null) expect(bytes).toBeGreaterThan(1_000_000);
    if (sha256 !== null) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  }
});
