/** A folder for the prompts and models of one test file, removed when its tests are over. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

export interface ScratchFolder {
  readonly folder: string;
  /** Writes a file into the folder and gives its path. */
  readonly file: (name: string, content: string | Buffer) => string;
}

export function scratchFolder(): ScratchFolder {
  const folder = mkdtempSync(path.join(tmpdir(), 'prompt-loupe-cli-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, content: string | Buffer): string => {
    const written = path.join(folder, name);
    writeFileSync(written, content);
    return written;
  };
  return { folder, file };
}
