import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { FoundModel } from '../../shared/protocol/engine.ts';
import { modelName, scanFolder } from './scanFolder.ts';

/** GGUF files of the Hugging Face cache: `models--<owner>--<name>/snapshots/<commit>/…`, links into `blobs`. */
export async function huggingFaceModels(hub: string): Promise<FoundModel[]> {
  const models: FoundModel[] = [];
  const folders = await readdir(hub).catch(() => []);
  for (const folder of folders.filter((name) => name.startsWith('models--')).sort()) {
    const repository = folder.split('--').slice(1).join('/');
    for (const { file, bytes } of await scanFolder(join(hub, folder, 'snapshots'))) {
      models.push({ name: `${repository}/${modelName(file)}`, file, bytes, source: 'hugging-face' });
    }
  }
  return models;
}
