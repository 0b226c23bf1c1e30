/** Loads llama.cpp into this thread and binds the functions and structs of `functions.ts` and `structs.ts`. */
import koffi from 'koffi';
import { runtimeBroken } from '../../shared/errorCatalog.ts';
import { LoupeError } from '../../shared/errors.ts';
import { assertPinnedRelease } from './guard.ts';
import { type LibraryFiles, locateLibraries } from './locate.ts';
import { signatures, type NativeFunctions } from './functions.ts';
import { listenToLog } from './log.ts';
import { probeLibraries } from './probe.ts';
import { type FieldType, type StructLayout, structLayouts } from './structs.ts';

export interface LlamaLibrary {
  readonly files: LibraryFiles;
  readonly functions: NativeFunctions;
  /** The processor backend that was chosen. */
  readonly backend: string;
}

/** The koffi spelling of a field's type. */
function koffiType(type: FieldType): string {
  if (typeof type === 'object') return `${type.array === 'pointer' ? 'void*' : type.array}[${type.length}]`;
  return type === 'pointer' ? 'void*' : type;
}

let loaded: Promise<LlamaLibrary> | null = null;

/**
 * Loads the libraries once per thread, after a child process has tried them.
 * @throws E_RUNTIME_MISSING, E_RUNTIME_MISMATCH, E_RUNTIME_BROKEN
 */
export function loadLlamaLibrary(): Promise<LlamaLibrary> {
  loaded ??= load().catch((error: unknown) => {
    // A failed load may be repaired (reinstalled) while this process lives.
    loaded = null;
    throw error;
  });
  return loaded;
}

async function load(): Promise<LlamaLibrary> {
  const files = locateLibraries();
  await probeLibraries(files);
  try {
    return bind(files);
  } catch (error) {
    if (error instanceof LoupeError) throw error;
    throw runtimeBroken(error instanceof Error ? error.message : String(error));
  }
}

function bind(files: LibraryFiles): LlamaLibrary {
  // The later libraries resolve their symbols in the earlier ones, so those are loaded globally.
  const libraries = {
    base: koffi.load(files.ggmlBase, { global: true }),
    ggml: koffi.load(files.ggml, { global: true }),
    llama: koffi.load(files.llama),
  };
  defineStructs();
  const functions: Record<string, unknown> = {};
  for (const [name, { library, prototype }] of Object.entries(signatures)) {
    // An address is returned as a number, but a parameter also takes buffers.
    functions[name] = libraries[library].func(prototype.replace(/^P /, 'uintptr_t ').replace(/\bP /g, 'void* '));
  }
  const bound = functions as unknown as NativeFunctions;
  assertPinnedRelease(bound);
  listenToLog(bound);
  const backend = bestProcessorBackend(files.cpu);
  if (bound.ggml_backend_load(backend) === 0) throw runtimeBroken(`${backend} could not be loaded`);
  bound.llama_backend_init();
  return { files, functions: bound, backend };
}

let structsDefined = false;

function defineStructs(): void {
  if (structsDefined) return;
  for (const [name, layout] of Object.entries<StructLayout>(structLayouts)) {
    koffi.struct(name, Object.fromEntries(Object.entries(layout).map(([field, type]) => [field, koffiType(type)])));
  }
  structsDefined = true;
}

/** Each build says how well it suits this processor (0 = not at all). Loading only this one keeps BLAS and GPU backends out. */
function bestProcessorBackend(candidates: readonly string[]): string {
  let best: { file: string; score: number } | null = null;
  for (const file of candidates) {
    const handle = koffi.load(file);
    let score = 1;
    try {
      score = (handle.func('int ggml_backend_score()') as () => number)();
    } catch {
      // A build without variants has no score function and fits every processor of its kind.
    }
    handle.unload();
    if (score > 0 && (best === null || score > best.score)) best = { file, score };
  }
  if (best === null) throw runtimeBroken('none of its builds suits this processor');
  return best.file;
}
