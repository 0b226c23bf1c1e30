import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import type { FoundModel } from '../../shared/protocol/engine.ts';

const manifestSchema = v.object({
  layers: v.array(v.object({ mediaType: v.string(), digest: v.pipe(v.string(), v.regex(/^sha256[:-][0-9a-f]{64}$/)) })),
});

const modelLayer = 'application/vnd.ollama.image.model';
const limits = { depth: 6, manifests: 2_000, manifestBytes: 1_048_576 };

/**
 * Models that Ollama downloaded: `manifests/<registry>/<namespace>/<model>/<tag>` names the blob that holds the weights.
 * Broken manifests and missing blobs are left out.
 */
export async function ollamaModels(folder: string): Promise<FoundModel[]> {
  const models: FoundModel[] = [];
  for (const path of await manifestPaths(join(folder, 'manifests'))) {
    const model = await readModel(folder, path).catch(() => null);
    if (model !== null) models.push(model);
  }
  return models;
}

/** Path segments below `manifests` of every file. */
async function manifestPaths(root: string): Promise<string[][]> {
  const paths: string[][] = [];
  async function visit(segments: readonly string[]): Promise<void> {
    const entries = await readdir(join(root, ...segments), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (paths.length >= limits.manifests) return;
      if (entry.isFile()) paths.push([...segments, entry.name]);
      else if (entry.isDirectory() && segments.length < limits.depth) await visit([...segments, entry.name]);
    }
  }
  await visit([]);
  return paths;
}

async function readModel(folder: string, segments: readonly string[]): Promise<FoundModel | null> {
  const file = join(folder, 'manifests', ...segments);
  if ((await stat(file)).size > limits.manifestBytes) return null;
  const manifest = v.parse(manifestSchema, JSON.parse(await readFile(file, 'utf8')));
  const layer = manifest.layers.find(({ mediaType }) => mediaType === modelLayer);
  if (layer === undefined) return null;
  const hex = layer.digest.slice('sha256:'.length);
  // Older releases kept the colon in the file name.
  for (const name of [`sha256-${hex}`, `sha256:${hex}`]) {
    const blob = join(folder, 'blobs', name);
    if (await isGguf(blob)) return { name: ollamaName(segments), file: blob, bytes: (await stat(blob)).size, source: 'ollama' };
  }
  return null;
}

/** `llama3.2:1b`, `someone/model:tag`, `registry.example/someone/model:tag`: as `ollama list` says it. */
function ollamaName(segments: readonly string[]): string {
  const path = segments.slice(0, -1);
  if (path[0] === 'registry.ollama.ai') path.shift();
  if (path[0] === 'library' && path.length > 1) path.shift();
  return `${path.join('/')}:${segments.at(-1) ?? ''}`;
}

/** Weights of other formats carry the same media type. */
async function isGguf(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => null);
  if (handle === null) return false;
  try {
    const magic = Buffer.alloc(4);
    await handle.read(magic, 0, 4, 0);
    return magic.toString('latin1') === 'GGUF';
  } finally {
    await handle.close();
  }
}
