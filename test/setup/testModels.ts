import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Real model files: random tiny ones that answer in milliseconds, and the bundled one that takes its time. */
export const testModels = {
  tinyLlama: path.join(root, 'test/fixtures/golden/tiny_llama/model.gguf'),
  tinyQwen2: path.join(root, 'test/fixtures/golden/tiny_qwen2/model.gguf'),
  bundled: path.join(root, 'models/SmolLM2-135M-Instruct.Q4_1.gguf'),
} as const;
