/** Where the package's own files are; the bundle is `dist/cli.cjs`, one folder below the package. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const packageFolder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

export const bundledModel = path.join(packageFolder, 'models', 'SmolLM2-135M-Instruct.Q4_1.gguf');

/** What the model's worker thread runs. */
export const engineBundle = path.join(packageFolder, 'dist', 'engine.cjs');
