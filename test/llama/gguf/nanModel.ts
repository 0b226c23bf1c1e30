import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkGgufFile } from '../../../src/llama/gguf/checkGgufFile.ts';

const source = join(import.meta.dirname, '../../fixtures/golden/tiny_llama/model.gguf');

/**
 * Writes a copy of tiny_llama whose tensor `name` has a NaN as its first weight, into `folder`. The default poisons every
 * residual from block 1's attention on. Returns the path.
 */
export async function writeNanModel(folder: string, name = 'blk.1.attn_norm.weight'): Promise<string> {
  const header = await checkGgufFile(source);
  const tensor = header.tensors.find((candidate) => candidate.name === name);
  if (tensor === undefined) throw new Error(`tiny_llama has no tensor ${name}`);
  const bytes = await readFile(source);
  bytes.writeFloatLE(Number.NaN, tensor.offset);
  const file = join(folder, 'nan.gguf');
  await writeFile(file, bytes);
  return file;
}
