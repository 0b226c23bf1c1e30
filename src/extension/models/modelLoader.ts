/** Which model is wanted, a file or one on a server, and getting it into the engine before a request needs it. */
import type { LoadOptions, ModelSummary } from '../../shared/protocol/engine.ts';
import { modelNotLoaded } from '../../shared/errorCatalog.ts';
import type { CallHooks, EngineService } from '../engineService.ts';
import type { Settings } from '../settingsTable.ts';
import { loadOptions } from './loadOptions.ts';
import type { ServerAccess } from './serverAccess.ts';
import type { ServerMemory } from './serverMemory.ts';

export class ModelLoader {
  /** Chosen in this window; stronger than the setting until the setting changes. */
  private picked: string | null = null;
  private loadedWith = '';

  constructor(
    private readonly engine: EngineService,
    private readonly settings: () => Settings,
    private readonly bundled: () => string | null,
    private readonly servers: ServerAccess,
    private readonly memory: Pick<ServerMemory, 'remember'>,
  ) {}

  /** @throws E_MODEL_NOT_LOADED when no file was chosen and none is bundled; as `ServerAccess.checked` */
  wanted(): string {
    const file = this.picked ?? (this.settings().modelPath || this.bundled());
    if (file === null) throw modelNotLoaded();
    return this.servers.checked(file);
  }

  forgetPick(): void {
    this.picked = null;
  }

  /** Loads the wanted model unless it is the one that is loaded, with the same options. */
  async ensureLoaded(hooks: CallHooks): Promise<ModelSummary> {
    const file = this.wanted();
    const loaded = this.engine.status.model;
    if (loaded !== null && loaded.file === file && this.loadedWith === key(file, loadOptions(this.settings()))) return loaded;
    return this.visit(file, hooks);
  }

  /** Loads what the user picked; it becomes the wanted one once it has loaded. @throws as `ServerAccess.checked` and `EngineService.load` */
  async pick(file: string, hooks: CallHooks): Promise<ModelSummary> {
    const summary = await this.visit(file, hooks);
    this.picked = file;
    return summary;
  }

  /** Loads a model for one run; the wanted one stays the wanted one. @throws as `pick` */
  async visit(model: string, hooks: CallHooks): Promise<ModelSummary> {
    const file = this.servers.checked(model);
    const options = loadOptions(this.settings());
    const apiKey = await this.servers.keyFor(file);
    const summary = await this.engine.load(file, { ...options, ...(apiKey === undefined ? {} : { apiKey }) }, hooks);
    this.loadedWith = key(file, options);
    await this.memory.remember(summary);
    return summary;
  }
}

function key(file: string, options: LoadOptions): string {
  return JSON.stringify([file, options]);
}
