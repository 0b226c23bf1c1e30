/** The model that ships with the extension: the first GGUF file of its `models` folder. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FoundModel } from '../../shared/protocol/engine.ts';

export function findBundledModel(extensionPath: string): FoundModel | null {
  const folder = join(extensionPath, 'models');
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return null;
  }
  const name = names.filter((candidate) => candidate.endsWith('.gguf')).sort()[0];
  if (name === undefined) return null;
  const file = join(folder, name);
  return { name: name.replace(/\.gguf$/, ''), file, bytes: statSync(file).size, source: 'bundled' };
}
