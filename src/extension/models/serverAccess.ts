/** Models on a server, seen from the editor: only in a trusted workspace, and keys only in the editor's own store of secrets. */
import type { SecretStorage } from 'vscode';
import { isServerAddress, serverAddress } from '../../shared/serverAddress.ts';
import { serverUntrusted } from '../../shared/serverErrors.ts';

export class ServerAccess {
  constructor(
    private readonly secrets: Pick<SecretStorage, 'get' | 'store' | 'delete'>,
    private readonly isTrusted: () => boolean,
  ) {}

  /** A model's name as the engine takes it. @throws E_SERVER_ADDRESS, E_SERVER_UNTRUSTED */
  checked(model: string): string {
    if (!isServerAddress(model)) return model;
    if (!this.isTrusted()) throw serverUntrusted();
    return serverAddress(model);
  }

  /** The key kept for a server; nothing for a file. */
  async keyFor(model: string): Promise<string | undefined> {
    return isServerAddress(model) ? await this.secrets.get(secretOf(model)) : undefined;
  }

  /** An empty key forgets the one that was kept. */
  async keepKey(address: string, key: string): Promise<void> {
    await (key === '' ? this.secrets.delete(secretOf(address)) : this.secrets.store(secretOf(address), key));
  }
}

/** One secret an address: a key never goes to another server, nor to another port of the same. */
function secretOf(address: string): string {
  return `apiKey ${serverAddress(address)}`;
}
