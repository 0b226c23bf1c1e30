import { describe, expect, test } from 'vitest';
import { ServerAccess } from '../../src/extension/models/serverAccess.ts';

function access(isTrusted = true) {
  const kept = new Map<string, string>();
  const secrets = {
    get: (key: string) => Promise.resolve(kept.get(key)),
    store: (key: string, value: string) => Promise.resolve(void kept.set(key, value)),
    delete: (key: string) => Promise.resolve(void kept.delete(key)),
  };
  return new ServerAccess(secrets, () => isTrusted);
}

describe('in a workspace that is not trusted', () => {
  test('files are used', () => expect(access(false).checked('/models/a.gguf')).toBe('/models/a.gguf'));
  test('servers are not', () => expect(() => access(false).checked('http://localhost:8080')).toThrow(/E_SERVER_UNTRUSTED/));
});

test('an address is kept in one form', () => expect(access().checked('HTTP://Localhost:8080/')).toBe('http://localhost:8080'));

describe('keys', () => {
  test('go to their own server alone', async () => {
    const servers = access();
    await servers.keepKey('http://localhost:8080', 'secret');
    expect(await servers.keyFor('http://LOCALHOST:8080/')).toBe('secret');
    for (const other of ['http://localhost:8081', 'https://localhost:8080', 'http://localhost:8080/other', '/models/a.gguf']) {
      expect(await servers.keyFor(other)).toBeUndefined();
    }
  });
  test('are forgotten when an empty one is given', async () => {
    const servers = access();
    await servers.keepKey('http://localhost:8080', 'secret');
    await servers.keepKey('http://localhost:8080', '');
    expect(await servers.keyFor('http://localhost:8080')).toBeUndefined();
  });
});
