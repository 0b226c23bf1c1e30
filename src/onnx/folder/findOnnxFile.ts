import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { modelNotFound, modelUnreadable } from '../../shared/errorCatalog.ts';
import { modelFolder } from '../../shared/modelFolderErrors.ts';
import { genaiConfiguration } from './configurationSchemas.ts';
import { readJsonFile } from './readSmallFile.ts';

export interface FoundModel {
  readonly onnxFile: string;
  /** Where the files that belong to it are looked for, in this order. */
  readonly folders: readonly string[];
  readonly notes: readonly string[];
}

const maximumJsonBytes = 16_000_000;

/**
 * The model that a path means: an .onnx file itself; or of a folder the one that genai_config.json names, else `model.onnx`,
 * else the only one, there or in its folder `onnx`. @throws E_MODEL_NOT_FOUND, E_MODEL_UNREADABLE, E_MODEL_FOLDER
 */
export async function findOnnxFile(path: string): Promise<FoundModel> {
  const place = resolve(path);
  const status = await stat(place).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
      throw modelUnreadable(place, String(error.code));
    }
    throw modelNotFound(place);
  });
  if (status.isDirectory()) return await searchFolder(place);
  // Opening a pipe or a device could wait for ever.
  if (!status.isFile()) throw modelUnreadable(place, 'it is not a regular file');
  return found(place, []);
}

/** transformers.js keeps models in a folder `onnx` and what belongs to them one folder up; all others keep it beside them. */
function found(onnxFile: string, notes: readonly string[]): FoundModel {
  const folder = dirname(onnxFile);
  return { onnxFile, folders: basename(folder) === 'onnx' ? [folder, dirname(folder)] : [folder], notes };
}

async function searchFolder(folder: string): Promise<FoundModel> {
  const named = await namedByGenai(folder);
  if (named !== null) return { onnxFile: named, folders: [...new Set([dirname(named), folder])], notes: [] };
  const candidates = [...(await onnxFilesIn(folder)), ...(await onnxFilesIn(join(folder, 'onnx')))];
  const chosen =
    candidates.find((file) => basename(file) === 'model.onnx') ?? (candidates.length === 1 ? candidates[0] : undefined);
  const names = candidates.map((file) => relative(folder, file)).slice(0, 20);
  if (chosen === undefined) {
    throw modelFolder(
      folder,
      names.length === 0 ? 'the folder holds no .onnx file' : `it holds several models: ${names.join(', ')}`,
    );
  }
  const others = names.filter((name) => name !== relative(folder, chosen));
  return found(chosen, others.length === 0 ? [] : [`the folder also holds ${others.join(', ')}`]);
}

async function namedByGenai(folder: string): Promise<string | null> {
  const file = join(folder, 'genai_config.json');
  const name = (await readJsonFile(file, genaiConfiguration, maximumJsonBytes))?.model.decoder?.filename ?? null;
  if (name === null) return null;
  const target = resolve(folder, name);
  const inside = relative(folder, target);
  if (name.includes('\0') || isAbsolute(name) || isAbsolute(inside) || inside === '..' || inside.startsWith(`..${sep}`)) {
    throw modelFolder(file, 'genai_config.json names a model outside its folder');
  }
  const isThere = await stat(target).then(
    (status) => status.isFile(),
    () => false,
  );
  if (!isThere) throw modelFolder(file, `genai_config.json names ${basename(target)}, which is not there`);
  return target;
}

async function onnxFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.toLowerCase().endsWith('.onnx'))
    .sort()
    .map((name) => join(folder, name));
}
