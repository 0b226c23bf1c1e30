/** Servers that were used before, as the editor remembers them: addresses and what their models were called, never a key. */
import * as v from 'valibot';
import type { Memento } from 'vscode';
import type { FoundModel, ModelSummary } from '../../shared/protocol/engine.ts';
import { isServerAddress, serverAddress } from '../../shared/serverAddress.ts';

const key = 'servers';
/** The one that was used longest ago goes first. */
const mostServers = 20;

const kept = v.array(v.object({ address: v.string(), name: v.string() }));
type Kept = v.InferOutput<typeof kept>;

export class ServerMemory {
  readonly #state: Pick<Memento, 'get' | 'update'>;
  readonly #isTrusted: () => boolean;
  readonly #onChange: () => void;

  constructor(state: Pick<Memento, 'get' | 'update'>, isTrusted: () => boolean, onChange: () => void) {
    this.#state = state;
    this.#isTrusted = isTrusted;
    this.#onChange = onChange;
  }

  /** The one used last stands first; none in a workspace that is not trusted, where none may be used. */
  list(): readonly FoundModel[] {
    if (!this.#isTrusted()) return [];
    return this.#read().map(({ address, name }) => ({ name, file: address, bytes: 0, source: 'server' }));
  }

  /** Keeps the server of a model that was loaded; files are found again by themselves. */
  async remember({ file, name }: Pick<ModelSummary, 'file' | 'name'>): Promise<void> {
    if (!isServerAddress(file)) return;
    const address = serverAddress(file);
    const before = this.#read();
    if (before[0]?.address === address && before[0].name === name) return;
    await this.#keep([{ address, name }, ...before.filter((each) => each.address !== address)].slice(0, mostServers));
  }

  async forget(address: string): Promise<void> {
    const known = serverAddress(address);
    await this.#keep(this.#read().filter((each) => each.address !== known));
  }

  async #keep(servers: Kept): Promise<void> {
    await this.#state.update(key, servers);
    this.#onChange();
  }

  /** Another version of the extension may have kept something else; what is no address is left out. */
  #read(): Kept {
    const read = v.safeParse(kept, this.#state.get(key));
    return read.success ? read.output.filter(({ address }) => isAddress(address)) : [];
  }
}

function isAddress(text: string): boolean {
  try {
    return serverAddress(text) === text;
  } catch {
    return false;
  }
}
