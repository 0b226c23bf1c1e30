import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A model file in a scanned folder. */
export interface ScannedFile {
  readonly file: string;
  /** All parts together when the model is split over several files, or keeps its weights beside it. */
  readonly bytes: number;
}

const limits = { depth: 8, folders: 5_000, entries: 200_000, files: 2_000 };

const splitName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/**
 * GGUF and ONNX models in a folder and the folders below it, in alphabetical order. Follows links, visits each folder once, and stops
 * at generous bounds; what cannot be read is left out. Later parts of split models and projectors (`mmproj`) are no models.
 */
export async function scanFolder(root: string): Promise<ScannedFile[]> {
  const found: ScannedFile[] = [];
  const visited = new Set<string>();
  let entriesLeft = limits.entries;

  async function visit(folder: string, depth: number): Promise<void> {
    const real = await realpath(folder).catch(() => null);
    if (real === null || visited.has(real) || visited.size >= limits.folders) return;
    visited.add(real);
    const names = (await readdir(folder).catch(() => [])).slice(0, entriesLeft).sort();
    entriesLeft -= names.length;
    for (const name of names) {
      if (found.length >= limits.files) return;
      if (name === 'node_modules' || name === '.git') continue;
      const path = join(folder, name);
      if (isModelName(name)) {
        const bytes = await modelBytes(folder, name, names);
        if (bytes !== null) found.push({ file: path, bytes });
      }
      // A name with an extension is seldom a folder, but "Model-1.5" is one.
      else if (depth < limits.depth && (await isFolder(path))) await visit(path, depth + 1);
    }
  }

  await visit(root, 0);
  return found;
}

/** Of a split model only the first part counts; of ONNX exports in parts (encoder, tokenizer, …) only the ones that answer. */
function isModelName(name: string): boolean {
  if (/\.onnx$/i.test(name)) return !/encoder_model|tokenizer|vision|audio|embed_tokens/i.test(name);
  if (!/\.gguf$/i.test(name) || /(^|[-_.])mmproj/i.test(name)) return false;
  const part = splitName.exec(name)?.[2];
  return part === undefined || Number(part) === 1;
}

async function modelBytes(folder: string, name: string, names: readonly string[]): Promise<number | null> {
  const split = splitName.exec(name);
  const parts =
    split === null
      ? [name, ...names.filter((other) => other === `${name}.data` || other === `${name}_data`)]
      : names.filter((other) => {
          const part = splitName.exec(other);
          return part?.[1] === split[1] && part?.[3] === split[3];
        });
  let bytes = 0;
  for (const part of parts) {
    const status = await stat(join(folder, part)).catch(() => null);
    if (status === null || !status.isFile()) return null;
    bytes += status.size;
  }
  return bytes;
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
}

/** The file's name without what every model file has. */
export function modelName(file: string): string {
  return nameOf(file).replace(/(-00001-of-\d{5})?\.(gguf|onnx)$/i, '');
}

/** Most ONNX models are called `model`: the folder has the name. */
function nameOf(file: string): string {
  const name = basename(file);
  if (!/^(decoder_)?model\w*\.onnx$/i.test(name)) return name;
  const folder = basename(dirname(file));
  const owner = folder === 'onnx' ? basename(dirname(dirname(file))) : folder;
  return /^model\.onnx$/i.test(name) ? owner : `${owner}/${name}`;
}
