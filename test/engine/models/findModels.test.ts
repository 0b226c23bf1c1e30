import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findModels } from '../../../src/engine/models/findModels.ts';
import { currentSurroundings, modelPlaces } from '../../../src/engine/models/modelPlaces.ts';
import type { Surroundings } from '../../../src/engine/models/modelPlaces.ts';

let root = '';
let home = '';
let surroundings: Surroundings;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'loupe-models-'));
  home = join(root, 'home');
  surroundings = { environment: {}, home, platform: 'darwin', code: join(root, 'code') };
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function put(path: string, content = 'GGUF'): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  return file;
}

/** Names and sizes, with files relative to the temporary folder. */
async function found(folders: readonly string[] = []): Promise<string[]> {
  const models = await findModels(
    folders.map((folder) => (folder.startsWith('~') ? folder : join(root, folder))),
    surroundings,
  );
  return models.map(({ name, bytes, source }) => `${source} ${name} ${bytes}`);
}

const digest = (letter: string) => letter.repeat(64);
const manifest = (letter: string, mediaType = 'application/vnd.ollama.image.model') =>
  JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: `sha256:${digest('0')}`, size: 1 },
    layers: [
      { mediaType: 'application/vnd.ollama.image.license', digest: `sha256:${digest('1')}`, size: 2 },
      { mediaType, digest: `sha256:${digest(letter)}`, size: 3 },
    ],
  });

test('nothing is there', async () => {
  expect(await found(['missing', '~/missing'])).toEqual([]);
});

test('this package has its bundled model', async () => {
  const models = await findModels([], { ...surroundings, code: currentSurroundings().code });
  expect(models.map(({ name, source }) => [name, source])).toEqual([['SmolLM2-135M-Instruct.Q4_1', 'bundled']]);
  expect(models[0]?.bytes).toBe(98_362_432);
});

describe('given folders', () => {
  test('all levels, in order, models only', async () => {
    await put('models/b.gguf');
    await put('models/a/deep/er/A.GGUF', 'GGUF more');
    await put('models/notes.txt');
    await put('models/mmproj-b-f16.gguf');
    await put('models/node_modules/hidden.gguf');
    await mkdir(join(root, 'models/folder.gguf'));
    expect(await found(['models'])).toEqual(['folder A 9', 'folder b 4']);
  });

  test('a split model is one model with the bytes of all parts', async () => {
    await put('models/big-00001-of-00002.gguf', '12345');
    await put('models/big-00002-of-00002.gguf', '123');
    await put('models/other-00002-of-00002.gguf', '123');
    expect(await found(['models'])).toEqual(['folder big 8']);
  });

  test('a file, the home folder, the same folder twice', async () => {
    await put('one.gguf');
    await put('home/m/two.gguf');
    expect(await found(['one.gguf', '~/m', '~/m/', '~', ''].filter((folder) => folder !== ''))).toEqual([
      'folder one 4',
      'folder two 4',
    ]);
  });

  test.skipIf(process.platform === 'win32')('links: loops end, linked models count once, broken links are left out', async () => {
    const model = await put('models/a/model.gguf');
    await symlink(join(root, 'models'), join(root, 'models/a/loop'));
    await symlink(model, join(root, 'models/link.gguf'));
    await symlink(join(root, 'nowhere.gguf'), join(root, 'models/broken.gguf'));
    await put('elsewhere/linked.gguf');
    await symlink(join(root, 'elsewhere'), join(root, 'models/outside'));
    expect(await found(['models'])).toEqual(['folder model 4', 'folder linked 4']);
  });

  test('folders beyond the depth limit are not visited', async () => {
    await put(`models/${'d/'.repeat(8)}in.gguf`);
    await put(`models/${'d/'.repeat(9)}out.gguf`);
    expect(await found(['models'])).toEqual(['folder in 4']);
  });
});

describe('Ollama', () => {
  const manifests = 'home/.ollama/models/manifests/registry.ollama.ai';

  test('names as ollama list gives them', async () => {
    await put(`${manifests}/library/llama3.2/1b`, manifest('a'));
    await put(`${manifests}/someone/model/latest`, manifest('b'));
    await put('home/.ollama/models/manifests/hf.co/owner/repo-GGUF/Q4_K_M', manifest('c'));
    for (const letter of ['a', 'b']) await put(`home/.ollama/models/blobs/sha256-${digest(letter)}`);
    if (process.platform !== 'win32') await put(`home/.ollama/models/blobs/sha256:${digest('c')}`);
    const names = ['ollama llama3.2:1b 4', 'ollama someone/model:latest 4'];
    if (process.platform !== 'win32') names.unshift('ollama hf.co/owner/repo-GGUF:Q4_K_M 4');
    expect(await found()).toEqual(names);
  });

  test('what is broken is left out', async () => {
    await put(`home/.ollama/models/blobs/sha256-${digest('a')}`);
    await put(`home/.ollama/models/blobs/sha256-${digest('d')}`, 'safetensors');
    await put(`${manifests}/library/good/latest`, manifest('a'));
    await put(`${manifests}/library/no-json/latest`, '{');
    await put(`${manifests}/library/no-layers/latest`, '{"layers":7}');
    await put(`${manifests}/library/no-blob/latest`, manifest('b'));
    await put(`${manifests}/library/other-format/latest`, manifest('d'));
    await put(`${manifests}/library/no-model/latest`, manifest('a', 'application/vnd.ollama.image.adapter'));
    await put(`${manifests}/library/traversal/latest`, manifest('a').replaceAll(digest('a'), '../../../../etc/passwd'));
    await put(`${manifests}/library/huge/latest`, manifest('a') + ' '.repeat(2_000_000));
    expect(await found()).toEqual(['ollama good:latest 4']);
  });

  test('OLLAMA_MODELS moves it', async () => {
    await put(`${manifests}/library/default/latest`, manifest('a'));
    await put('moved/manifests/registry.ollama.ai/library/moved/latest', manifest('a'));
    for (const folder of ['home/.ollama/models', 'moved']) await put(`${folder}/blobs/sha256-${digest('a')}`);
    surroundings = { ...surroundings, environment: { OLLAMA_MODELS: join(root, 'moved') } };
    expect(await found()).toEqual(['ollama moved:latest 4']);
  });
});

test('LM Studio, new and old place', async () => {
  await put('home/.lmstudio/models/publisher/model/new.gguf');
  await put('home/.cache/lm-studio/models/publisher/model/old.gguf');
  expect(await found()).toEqual(['lm-studio new 4', 'lm-studio old 4']);
});

describe('Hugging Face', () => {
  test.skipIf(process.platform === 'win32')('snapshots link to blobs; two snapshots of one file are one model', async () => {
    const repository = 'home/.cache/huggingface/hub/models--owner--name-GGUF';
    const blob = await put(`${repository}/blobs/abc`);
    for (const commit of ['1111', '2222']) {
      await mkdir(join(root, repository, 'snapshots', commit), { recursive: true });
      await symlink(blob, join(root, repository, 'snapshots', commit, 'name-Q4.gguf'));
    }
    await put('home/.cache/huggingface/hub/datasets--owner--data/snapshots/1/data.gguf');
    expect(await found()).toEqual(['hugging-face owner/name-GGUF/name-Q4 4']);
  });

  test.each([
    [{ HF_HUB_CACHE: '/a', HF_HOME: '/b' }, '/a'],
    [{ HF_HOME: '/b' }, join('/b', 'hub')],
    [{ HF_HUB_CACHE: '', XDG_CACHE_HOME: '/c' }, join('/c', 'huggingface', 'hub')],
    [{ HUGGINGFACE_HUB_CACHE: '/d' }, '/d'],
  ])('%j', (environment, expected) => {
    expect(modelPlaces({ ...surroundings, environment }).huggingFace).toEqual([expected]);
  });
});

test('the service of Ollama on Linux has its own home', () => {
  expect(modelPlaces({ ...surroundings, platform: 'linux' }).ollama).toContain('/usr/share/ollama/.ollama/models');
});
