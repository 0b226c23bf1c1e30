import { describe, expect, test } from 'vitest';
import { ServerMemory } from '../../src/extension/models/serverMemory.ts';

function memory({ kept, isTrusted = true }: { readonly kept?: unknown; readonly isTrusted?: boolean } = {}) {
  let stored = kept;
  let changes = 0;
  const state = {
    get: <T>() => stored as T | undefined,
    update: (_key: string, value: unknown) => {
      // As the editor keeps it: as JSON.
      stored = JSON.parse(JSON.stringify(value));
      return Promise.resolve();
    },
  };
  const servers = new ServerMemory(
    state,
    () => isTrusted,
    () => changes++,
  );
  return { servers, stored: () => stored, changes: () => changes };
}

const listed = (servers: ServerMemory) => servers.list().map(({ file, name }) => [file, name]);
const used = (file: string, name = 'model') => ({ file, name });

describe('servers that were used', () => {
  test('are listed, the last one first, each once, by its one address', async () => {
    const { servers, changes } = memory();
    await servers.remember(used('http://localhost:8080', 'first'));
    await servers.remember(used('https://other.example/llama', 'second'));
    await servers.remember(used('HTTP://LOCALHOST:8080/', 'renamed'));
    expect(listed(servers)).toEqual([
      ['http://localhost:8080', 'renamed'],
      ['https://other.example/llama', 'second'],
    ]);
    expect(servers.list()[0]).toMatchObject({ source: 'server', bytes: 0 });
    await servers.remember(used('http://localhost:8080', 'renamed'));
    expect(changes()).toBe(3);
  });
  test('are no files', async () => {
    const { servers, stored } = memory();
    await servers.remember(used('/models/a.gguf'));
    expect(stored()).toBeUndefined();
  });
  test('are forgotten', async () => {
    const { servers } = memory();
    await servers.remember(used('http://localhost:8080'));
    await servers.remember(used('http://localhost:8081'));
    await servers.forget('http://LOCALHOST:8080/');
    expect(listed(servers)).toEqual([['http://localhost:8081', 'model']]);
  });
  test('are twenty at most', async () => {
    const { servers } = memory();
    for (let port = 1; port <= 21; port++) await servers.remember(used(`http://localhost:${port}`));
    expect(servers.list()).toHaveLength(20);
    expect(servers.list().at(-1)?.file).toBe('http://localhost:2');
  });
  test('are not offered where none may be used', () => {
    const kept = [{ address: 'http://localhost:8080', name: 'model' }];
    expect(listed(memory({ kept, isTrusted: false }).servers)).toEqual([]);
    expect(listed(memory({ kept }).servers)).toEqual([['http://localhost:8080', 'model']]);
  });
  test.each([
    ['text', 'servers'],
    ['other fields', [{ url: 'http://localhost:8080' }]],
    ['what is no address', [{ address: '/models/a.gguf', name: 'a' }]],
    ['an address with a key', [{ address: 'http://me:secret@localhost', name: 'a' }]],
  ])('kept by another version, as %s, are left out', (_name, kept) => expect(listed(memory({ kept }).servers)).toEqual([]));
});
