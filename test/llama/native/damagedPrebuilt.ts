/** The prebuilt kernels with one bit of this system's library turned over. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { kernelFiles } from '../../../src/llama/native/kernelFiles.ts';

/** @param folder where the copy is made @returns what `loadKernelFrom` takes */
export function damagedPrebuilt(folder: string): string {
  cpSync(path.resolve('native/prebuilt'), folder, { recursive: true });
  const file = path.join(folder, kernelFiles[`${process.platform}-${process.arch}`]?.file ?? '');
  const bytes = readFileSync(file);
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  return folder;
}
