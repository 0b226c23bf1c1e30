import { modelCorrupt, modelUnsupported, outOfMemory } from '../shared/errorCatalog.ts';
import type { LoupeError } from '../shared/errors.ts';

/** Turns what llama.cpp logged when it refused a file into the error a user can act on. */
export function modelRefusal(file: string, reason: string): LoupeError {
  if (/unknown model architecture|unknown (pre-tokenizer|tokenizer)|not supported|unsupported/i.test(reason)) {
    return modelUnsupported(file, reason);
  }
  if (/failed to allocate|unable to allocate|out of memory|bad_alloc/i.test(reason)) return outOfMemory(reason);
  return modelCorrupt(file, reason);
}
