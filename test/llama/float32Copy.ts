/** Writes an F32 copy of a GGUF file, so that our own arithmetic can be compared without that of quantised kernels. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { loadLlamaLibrary } from '../../src/llama/native/library.ts';

/** llama.cpp's numbers for the types a file can be written in. */
export const fileTypes = { F32: 0, F16: 1, Q4_0: 2, Q4_1: 3, Q8_0: 7, Q4_K: 15, Q6_K: 18 } as const;

export interface ModelCopy {
  readonly file: string;
  remove(): void;
}

export async function copyModel(source: string, type: keyof typeof fileTypes): Promise<ModelCopy> {
  const { functions } = await loadLlamaLibrary();
  const folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-'));
  const file = path.join(folder, `${type}.gguf`);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const status = functions.llama_model_quantize(source, file, {
    ...functions.llama_model_quantize_default_params(),
    nthread: 1,
    ftype: fileTypes[type],
    allow_requantize: true,
  });
  if (status !== 0) {
    remove();
    throw new Error(`quantising ${source} to ${type} gave ${status}`);
  }
  return { file, remove };
}
