import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export const fixtures = join(import.meta.dirname, '../../fixtures/onnx-tokenizers');

/** One folder each. */
export const families = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
