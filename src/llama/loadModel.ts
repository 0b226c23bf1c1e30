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
    const native = { functions, model, vocabulary, vocabularySize };
    const flaw = vocabularyFlaw(native);
    if (flaw !== null) {
      functions.llama_model_free(model);
      throw modelCorrupt(file, flaw);
    }
    return native;
  } finally {
    koffi.unregister(progress);
  }
}

const wordPiece = 3;

/** llama.cpp ends the process when it must add a token that the vocabulary does not have. */
function vocabularyFlaw({ functions, vocabulary, vocabularySize }: NativeModel): string | null {
  if (vocabularySize <= 0) return 'its vocabulary is empty';
  const kind = functions.llama_vocab_type(vocabulary);
  const addsBeginning = kind === wordPiece || functions.llama_vocab_get_add_bos(vocabulary);
  if (kind !== 0 && addsBeginning && functions.llama_vocab_bos(vocabulary) < 0)
    return 'its vocabulary lacks the token that begins a sequence';
  if (kind !== 0 && functions.llama_vocab_get_add_eos(vocabulary) && functions.llama_vocab_eos(vocabulary) < 0) {
    return 'its vocabulary lacks the token that ends a sequence';
  }
  return kind === wordPiece && functions.llama_vocab_sep(vocabulary) < 0 ? 'its vocabulary lacks a separator token' : null;
}
