/** Where the package's own files are. The bundles lie side by side in `dist/`, one folder or more below the package. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const bundleFolder = path.dirname(fileURLToPath(import.meta.url));

export const bundledModel = path.join(packageFolder(), 'models', 'SmolLM2-135M-Instruct.Q4_1.gguf');

/** What the model's worker thread runs. */
export const engineBundle = path.join(bundleFolder, 'engine.cjs');

/** What draws pictures: the renderer, and a font with it. */
export const pictureFiles = {
  renderer: path.join(bundleFolder, 'picture', 'index_bg.wasm'),
  font: path.join(bundleFolder, 'picture', 'DejaVuSansMono.ttf'),
};

function packageFolder(): string {
  let folder = bundleFolder;
  while (!existsSync(path.join(folder, 'package.json')) && path.dirname(folder) !== folder) folder = path.dirname(folder);
  return folder;
}
