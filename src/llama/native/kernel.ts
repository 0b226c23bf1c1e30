/** Our own kernel for products in F32 (native/README.md): found beside the package, checked, and loaded once per thread. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import type { Pointer } from './functions.ts';
import { kernelFiles } from './kernelFiles.ts';

/** What a library must be to be used. `abi` is raised with the C sources' `ABI`. */
const pinned = { files: kernelFiles, abi: 1 };

export interface Kernel {
  readonly variant: KernelVariant;
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

/** Never throws. */
export type KernelLoader = () => KernelChoice;

let chosen: KernelChoice | null = null;
/** koffi unloads a library nobody holds, and the addresses taken from it would point nowhere. */
const held: unknown[] = [];

/** Never throws: without a kernel everything works, more slowly. */
export function loadKernel(): KernelChoice {
  chosen ??= loadKernelFrom(prebuiltFolder());
  return chosen;
}

/** Numbers of the variants and of the operators, as in native/source/loupe.c. */
const variants = ['none', 'avx2', 'avx512', 'neon'] as const;
export type KernelVariant = (typeof variants)[number];
const operators = { matmul: 0, softmaxBack: 1, swigluBack: 2 } as const;

/**
 * @param folder `native/prebuilt`
 * @param wanted another variant than the best one this processor has
 * @param expected what the tests expect of libraries that are not ours
 */
export function loadKernelFrom(folder: string, wanted?: KernelVariant, expected = pinned): KernelChoice {
  const target = `${process.platform}-${process.arch}`;
  const known = expected.files[target];
  if (known === undefined) return refused(`there is none for ${target}`);
  const file = path.join(folder, known.file);
  try {
    if (createHash('sha256').update(readFileSync(file)).digest('hex') !== known.sha256) {
      return refused('its file is not the one this version was built with');
    }
    const library = koffi.load(file);
    held.push(library);
    const call = <Result>(prototype: string, ...words: number[]) =>
      (library.func(prototype) as (...words: number[]) => Result)(...words);
    const abi = call<number>('int32 loupe_abi()');
    if (abi !== expected.abi) return refused(`it has interface ${abi}, expected ${expected.abi}`);
    const variant = wanted === undefined ? call<number>('int32 loupe_best()') : variants.indexOf(wanted);
    const address = (operator: number) =>
      call<Pointer>('uintptr_t loupe_operator(int32 variant, int32 index)', variant, operator);
    if (address(operators.matmul) === 0) {
      return refused(`this processor has ${wanted === undefined ? 'neither AVX2 nor AVX-512' : `no ${wanted}`}`);
    }
    const kernel = {
      variant: variants[variant] ?? 'none',
      matmul: address(operators.matmul),
      softmaxBack: address(operators.softmaxBack),
      swigluBack: address(operators.swigluBack),
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
