/** Brings a model file into native memory. */
import koffi from 'koffi';
import { cancelled, modelCorrupt } from '../shared/errorCatalog.ts';
import type { LlamaLibrary } from './native/library.ts';
import { clearLog, loggedReason } from './native/log.ts';
import type { NativeModel } from './native/nativeModel.ts';
import { modelRefusal } from './modelRefusal.ts';

const progressType = koffi.pointer(koffi.proto('bool loupe_progress_callback(float fraction, void* data)'));

export interface LoadOptions {
  /** Polled while the file is read; true ends the load with E_CANCELLED. */
  readonly shouldStop: () => boolean;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
}

/** @throws E_MODEL_CORRUPT, E_MODEL_UNSUPPORTED, E_OUT_OF_MEMORY, E_CANCELLED */
export function loadModel({ functions }: LlamaLibrary, file: string, { shouldStop, onProgress }: LoadOptions): NativeModel {
  let stopped = false;
  let failed: { readonly error: unknown } | null = null;
  const progress = koffi.register((fraction: number) => {
    try {
      stopped = shouldStop();
      if (!stopped) onProgress(fraction);
    } catch (error) {
      failed = { error };
    }
    return !stopped && failed === null;
  }, progressType);
  clearLog();
  try {
    const model = functions.llama_model_load_from_file(file, {
      ...functions.llama_model_default_params(),
      n_gpu_layers: 0,
      // Repacked weights compute something else than the file says, and cannot be read back.
      use_extra_bufts: false,
      progress_callback: progress,
    });
    if (model === 0) {
      if (failed !== null) throw (failed as { readonly error: unknown }).error;
      if (stopped) throw cancelled();
      throw modelRefusal(file, loggedReason('llama.cpp gave no reason'));
    }
    const vocabulary = functions.llama_model_get_vocab(model);
    const vocabularySize = functions.llama_vocab_n_tokens(vocabulary);
    if (vocabularySize <= 0) {
      functions.llama_model_free(model);
      throw modelCorrupt(file, 'its vocabulary is empty');
    }
    return { functions, model, vocabulary, vocabularySize };
  } finally {
    koffi.unregister(progress);
  }
}
