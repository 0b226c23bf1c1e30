/** Opens a GGUF file: checks it, digests it, loads it, and finds out what can be seen of its inside. */
import { resolve } from 'node:path';
import type { Model } from '../model/model.ts';
import { Cancellation } from './evaluation/cancellation.ts';
import { ContextPool } from './evaluation/contextPool.ts';
import { fileDigest } from './fileDigest.ts';
import { checkGgufFile } from './gguf/checkGgufFile.ts';
import { metadataInteger } from './gguf/ggufHeader.ts';
import { LlamaModel } from './llamaModel.ts';
import { loadModel } from './loadModel.ts';
import { architectureOf, describeModel } from './modelInfo.ts';
import { loadLlamaLibrary } from './native/library.ts';
import { physicalCores } from './physicalCores.ts';
import { createTokenizer } from './tokenizer/llamaTokenizer.ts';
import { Vocabulary } from './tokenizer/vocabulary.ts';

export interface OpenLlamaOptions {
  /** Native threads; 0 = the number of physical cores. */
  readonly threads: number;
  /** Tokens; 0 = as many as the model was trained for, at most 4,096. */
  readonly contextLength: number;
  /** One Int32 in shared memory; any other value than 0 stops the running evaluation within one graph node. */
  readonly cancelFlag?: Int32Array;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Of the whole opening, how much reading the file for its digest counts. */
const digestShare = 0.5;

/**
 * @throws E_MODEL_NOT_FOUND, E_MODEL_UNREADABLE, E_MODEL_CORRUPT and the other codes of `checkGgufFile`;
 * E_MODEL_UNSUPPORTED, E_RUNTIME_MISSING, E_RUNTIME_MISMATCH, E_RUNTIME_BROKEN, E_OUT_OF_MEMORY, E_CANCELLED
 */
export async function openLlamaModel(path: string, options: OpenLlamaOptions): Promise<Model> {
  const file = resolve(path);
  const cancellation = new Cancellation(options.cancelFlag, undefined);
  const report = (fraction: number) => options.onProgress?.(fraction, 1);
  const header = await checkGgufFile(file);
  cancellation.check();
  const library = await loadLlamaLibrary();
  const sha256 = await fileDigest(file, (bytes) => {
    cancellation.check();
    report((digestShare * bytes) / header.fileBytes);
  });
  const native = loadModel(library, file, {
    shouldStop: cancellation.requested,
    onProgress: (fraction) => report(digestShare + (1 - digestShare) * fraction),
  });
  const vocabulary = new Vocabulary(library.functions, native.model);
  const info = describeModel({
    file,
    sha256,
    header,
    native,
    contextLength: options.contextLength,
    can: { capture: false, patch: false, gradient: false, chat: vocabulary.chatTemplate !== null },
    notes: [],
  });
  const threads = options.threads > 0 ? options.threads : physicalCores();
  const originalLength = metadataInteger(header, `${architectureOf(header)}.rope.scaling.original_context_length`);
  const contexts = new ContextPool(native, threads, info.contextLength, originalLength ?? Number.POSITIVE_INFINITY);
  return new LlamaModel({
    info,
    tokenizer: createTokenizer(vocabulary),
    vocabulary,
    native,
    contexts,
    cancelFlag: options.cancelFlag,
  });
}
