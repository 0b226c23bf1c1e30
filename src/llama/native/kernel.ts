/** Our own kernel for products in F32 (native/README.md): found beside the package, checked, and loaded once per thread. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import type { Pointer } from './functions.ts';
import { kernelFiles } from './kernelFiles.ts';

/** Raised with the C sources' `ABI`. */
const knownAbi = 1;

export interface Kernel {
  /** `avx512`, `avx2`, `neon`. */
  readonly variant: string;
  /** Functions for `ggml_custom_4d`. */
  readonly matmul: Pointer;
  readonly softmaxBack: Pointer;
  readonly swigluBack: Pointer;
  /** Working memory of each thread. */
  readonly scratchBytes: number;
}

export type KernelChoice =
  | { readonly kernel: Kernel; readonly reason: null }
  /** Why ggml's own operators are used instead. */
  | { readonly kernel: null; readonly reason: string };

let chosen: KernelChoice | null = null;
/** koffi unloads a library nobody holds, and the addresses taken from it would point nowhere. */
const held: unknown[] = [];

/** Never throws: without a kernel everything works, more slowly. */
export function loadKernel(): KernelChoice {
  chosen ??= loadKernelFrom(prebuiltFolder());
  return chosen;
}

/** @param folder `native/prebuilt` */
export function loadKernelFrom(folder: string): KernelChoice {
  const target = `${process.platform}-${process.arch}`;
  const known = kernelFiles[target];
  if (known === undefined) return refused(`there is none for ${target}`);
  const file = path.join(folder, known.file);
  try {
    if (createHash('sha256').update(readFileSync(file)).digest('hex') !== known.sha256) {
      return refused('its file is not the one this version was built with');
    }
    const library = koffi.load(file);
    held.push(library);
    const call = <Result>(prototype: string) => (library.func(prototype) as () => Result)();
    const abi = call<number>('int32 loupe_abi()');
    if (abi !== knownAbi) return refused(`it has interface ${abi}, expected ${knownAbi}`);
    const variant = call<string>('str loupe_variant()');
    if (variant === 'none') return refused('this processor has neither AVX2 nor AVX-512');
    const kernel = {
      variant,
      matmul: call<Pointer>('uintptr_t loupe_matmul()'),
      softmaxBack: call<Pointer>('uintptr_t loupe_softmax_back()'),
      swigluBack: call<Pointer>('uintptr_t loupe_swiglu_back()'),
      scratchBytes: call<number>('int64 loupe_scratch_bytes()'),
    };
    return { kernel, reason: null };
  } catch (error) {
    return refused(error instanceof Error ? error.message : String(error));
  }
}

function refused(reason: string): KernelChoice {
  return { kernel: null, reason };
}

/** `native/prebuilt` of the package this code lies in: the sources or the bundles, one folder or more below it. */
function prebuiltFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'native', 'prebuilt')) && path.dirname(folder) !== folder) folder = path.dirname(folder);
  return path.join(folder, 'native', 'prebuilt');
}
