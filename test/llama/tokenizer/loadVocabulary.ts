import { afterAll } from 'vitest';
import { loadLlamaLibrary } from '../../../src/llama/native/library.ts';
import { Vocabulary } from '../../../src/llama/tokenizer/vocabulary.ts';

/** Loads only the vocabulary of a model file; freed after the test file. */
export async function loadVocabulary(file: string): Promise<Vocabulary> {
  const { functions } = await loadLlamaLibrary();
  const model = functions.llama_model_load_from_file(file, {
    ...functions.llama_model_default_params(),
    n_gpu_layers: 0,
    vocab_only: true,
  });
  if (model === 0) throw new Error(`llama.cpp refused ${file}`);
  afterAll(() => {
    functions.llama_model_free(model);
  });
  return new Vocabulary(functions, model);
}
