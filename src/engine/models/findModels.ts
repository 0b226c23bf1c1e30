import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { FoundModel, ModelSource } from '../../shared/protocol/engine.ts';
import { huggingFaceModels } from './huggingFaceModels.ts';
import { currentSurroundings, modelPlaces } from './modelPlaces.ts';
import type { Surroundings } from './modelPlaces.ts';
import { ollamaModels } from './ollamaModels.ts';
import { modelName, scanFolder } from './scanFolder.ts';

/**
 * Every GGUF or ONNX model that can be found: bundled, in the given folders (`~` is the home folder), and what Ollama, LM Studio and
 * the Hugging Face cache hold. In this order; a file found twice is listed once. Looks at names and sizes only.
 */
export async function findModels(
  folders: readonly string[],
  surroundings: Surroundings = currentSurroundings(),
): Promise<FoundModel[]> {
  const places = modelPlaces(surroundings);
  const given = folders.filter((folder) => folder.trim() !== '').map((folder) => expandHome(folder, surroundings.home));
  const found = await Promise.all([
    ...places.bundled.map((folder) => modelsIn(folder, 'bundled')),
    ...given.map((folder) => modelsIn(folder, 'folder')),
    ...places.ollama.map((folder) => ollamaModels(folder)),
    ...places.lmStudio.map((folder) => modelsIn(folder, 'lm-studio')),
    ...places.huggingFace.map((folder) => huggingFaceModels(folder)),
  ]);
  return await withoutRepeats(found.flat());
}

/** A given "folder" may also be one model file. */
async function modelsIn(path: string, source: ModelSource): Promise<FoundModel[]> {
  const status = await stat(path).catch(() => null);
  if (status?.isFile() === true && /\.(gguf|onnx)$/i.test(path)) {
    return [{ name: modelName(path), file: path, bytes: status.size, source }];
  }
  return (await scanFolder(path)).map(({ file, bytes }) => ({ name: modelName(file), file, bytes, source }));
}

function expandHome(folder: string, home: string): string {
  return /^~(?=$|[\\/])/.test(folder) ? join(home, folder.slice(1)) : resolve(folder);
}

/** Links and overlapping folders lead to the same file. */
async function withoutRepeats(models: readonly FoundModel[]): Promise<FoundModel[]> {
  const seen = new Set<string>();
  const distinct: FoundModel[] = [];
  for (const model of models) {
    const file = await realpath(model.file).catch(() => model.file);
    if (seen.has(file)) continue;
    seen.add(file);
    distinct.push(model);
  }
  return distinct;
}
