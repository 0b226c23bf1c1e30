import { cancelled, engineCrashed, engineStopped, engineUnresponsive } from '../../shared/errorCatalog.ts';
import type { LoupeError } from '../../shared/errors.ts';
import type {
  AttentionGrid,
  AttentionGridRequest,
  AttentionHead,
  AttentionHeadRequest,
  CaptureToFileRequest,
  CaptureToFileResult,
  EngineMethods,
  EngineState,
  EngineStatus,
  ExplainRequest,
  ExportRequest,
  ExportResult,
  FoundModel,
  GenerateTextRequest,
  GenerateTextResult,
  LoadOptions,
  LogprobsRequest,
  LogprobsResult,
  MethodDescription,
  ModelSummary,
} from '../../shared/protocol/engine.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { ToolDescription, ToolRequest, ToolResult } from '../../shared/protocol/tools.ts';
import type { CallHooks, EngineService } from '../engineService.ts';
import { CrashGuard } from './crashGuard.ts';
import { EngineChild, type EngineExit } from './engineChild.ts';
import { debuggerPort } from './engineEnvironment.ts';
import { Watchdog } from './watchdog.ts';

export interface EngineClientOptions {
  /** `dist/engine.cjs` */
  readonly engineFile: string;
  /** One line the engine wrote, or one sentence about its life. Never a prompt. */
  readonly log: (line: string) => void;
  /** Read at each start, so that a changed setting holds from the next start on. */
  readonly startOptions: () => { readonly idleMilliseconds: number; readonly inspectPort: number };
  /** How often the engine must answer. Default: every 5 seconds, three silent ticks allowed. */
  readonly heartbeat?: { readonly tickMilliseconds: number; readonly ticksAllowed: number };
  /** How long a running request may show no progress. Default: 10 ticks of a minute. */
  readonly progress?: { readonly tickMilliseconds: number; readonly ticksAllowed: number };
  readonly crashGuard?: CrashGuard;
}

export interface GenerateHooks extends CallHooks {
  readonly onToken?: (text: string) => void;
}

type NeedsModel = Exclude<
  keyof EngineMethods,
  'load' | 'unload' | 'status' | 'inspect' | 'listModels' | 'methods' | 'tools' | 'export'
>;

/**
 * The host's side of the engine: starts it when first asked, restarts it after a crash (the interrupted request is repeated
 * once, with the same model loaded again), ends it when it hangs. Knows nothing of the editor. States: docs/engine.md.
 */
export class EngineClient implements EngineService {
  readonly #options: EngineClientOptions;
  readonly #guard: CrashGuard;
  readonly #heartbeat: Watchdog;
  readonly #progress: Watchdog;
  readonly #statusListeners = new Set<(status: EngineStatus) => void>();
  readonly #restartListeners = new Set<(reason: LoupeError) => void>();
  readonly #hooks = new Map<string, GenerateHooks>();
  #child: EngineChild | null = null;
  #starting: Promise<EngineChild> | null = null;
  /** The model the user chose, for every later run of the process. */
  #chosen: { readonly file: string; readonly options: LoadOptions } | null = null;
  /** The process that has it loaded. */
  #loadedIn: EngineChild | null = null;
  #status: EngineStatus = stoppedStatus('stopped');
  #announced: LoupeError | null = null;
  #requests = 0;
  #disposed = false;

  constructor(options: EngineClientOptions) {
    this.#options = options;
    this.#guard = options.crashGuard ?? new CrashGuard({ limit: 3, windowMilliseconds: 60_000 });
    this.#heartbeat = new Watchdog({
      ...(options.heartbeat ?? { tickMilliseconds: 5_000, ticksAllowed: 3 }),
      onTick: () => this.#ping(),
      onSilence: () => this.#end('its process does not answer'),
    });
    this.#progress = new Watchdog({
      ...(options.progress ?? { tickMilliseconds: 60_000, ticksAllowed: 10 }),
      onSilence: () => this.#end(`"${this.#status.running?.title ?? 'the request'}" made no progress for too long`),
    });
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get status(): EngineStatus {
    return this.#status;
  }

  onStatus(listener: (status: EngineStatus) => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  /** Told when the engine is started again after a crash, with what ended it. */
  onRestart(listener: (reason: LoupeError) => void): () => void {
    this.#restartListeners.add(listener);
    return () => this.#restartListeners.delete(listener);
  }

  async load(file: string, options: LoadOptions, hooks: CallHooks = {}): Promise<ModelSummary> {
    return await this.#request(hooks, async (child, requestId) => {
      const summary = await child.peer.call('load', [file, options], { signal: hooks.signal, requestId });
      this.#chosen = { file, options };
      this.#loadedIn = child;
      return summary;
    });
  }

  async unload(hooks: CallHooks = {}): Promise<void> {
    this.#chosen = null;
    this.#loadedIn = null;
    if (this.#child === null && this.#starting === null) return;
    await this.#request(hooks, (child, requestId) => child.peer.call('unload', [], { signal: hooks.signal, requestId }));
  }

  async inspect(file: string, hooks: CallHooks = {}): Promise<ModelSummary> {
    return await this.#request(hooks, (child, requestId) =>
      child.peer.call('inspect', [file], { signal: hooks.signal, requestId }),
    );
  }

  async listModels(folders: readonly string[], hooks: CallHooks = {}): Promise<FoundModel[]> {
    return await this.#request(hooks, (child, requestId) =>
      child.peer.call('listModels', [folders], { signal: hooks.signal, requestId }),
    );
  }

  async methods(units: number, hooks: CallHooks = {}): Promise<MethodDescription[]> {
    return await this.#request(hooks, (child, requestId) =>
      child.peer.call('methods', [units], { signal: hooks.signal, requestId }),
    );
  }

  async explain(request: ExplainRequest, hooks: CallHooks = {}): Promise<Explanation> {
    return await this.#onModel('explain', request, hooks);
  }

  async logprobs(request: LogprobsRequest, hooks: CallHooks = {}): Promise<LogprobsResult> {
    return await this.#onModel('logprobs', request, hooks);
  }

  async generate(request: GenerateTextRequest, hooks: GenerateHooks = {}): Promise<GenerateTextResult> {
    return await this.#onModel('generate', request, hooks);
  }

  async attentionGrid(request: AttentionGridRequest, hooks: CallHooks = {}): Promise<AttentionGrid> {
    return await this.#onModel('attentionGrid', request, hooks);
  }

  async attentionHead(request: AttentionHeadRequest, hooks: CallHooks = {}): Promise<AttentionHead> {
    return await this.#onModel('attentionHead', request, hooks);
  }

  async capture(request: CaptureToFileRequest, hooks: CallHooks = {}): Promise<CaptureToFileResult> {
    return await this.#onModel('capture', request, hooks);
  }

  async tools(hooks: CallHooks = {}): Promise<ToolDescription[]> {
    return await this.#request(hooks, (child, requestId) => child.peer.call('tools', [], { signal: hooks.signal, requestId }));
  }

  async tool(request: ToolRequest, hooks: CallHooks = {}): Promise<ToolResult> {
    return await this.#onModel('tool', request, hooks);
  }

  async export(request: ExportRequest, hooks: CallHooks = {}): Promise<ExportResult> {
    return await this.#request(hooks, (child, requestId) =>
      child.peer.call('export', [request], { signal: hooks.signal, requestId }),
    );
  }

  async restart(): Promise<void> {
    this.#guard.reset();
    await this.#child?.kill(engineStopped('it was restarted'));
    await this.#request({}, (child, requestId) => this.#loadChosen(child, requestId, {}));
  }

  /** Ends the process that this client started, and no other. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#child?.stop(engineStopped('the editor closed it'));
    this.#statusListeners.clear();
    this.#restartListeners.clear();
  }

  async #onModel<K extends NeedsModel>(
    method: K,
    request: Parameters<EngineMethods[K]>[0],
    hooks: GenerateHooks,
  ): Promise<ReturnType<EngineMethods[K]>> {
    return await this.#request(hooks, async (child, requestId) => {
      // No needless turn of the event loop: requests reach the engine in the order they were made.
      if (this.#loadedIn !== child) await this.#loadChosen(child, requestId, hooks);
      const parameters = [request] as unknown as Parameters<EngineMethods[K]>;
      return (await child.peer.call(method, parameters as never, { signal: hooks.signal, requestId })) as ReturnType<
        EngineMethods[K]
      >;
    });
  }

  /** A new process gets the chosen model first. Two requests may both ask: for the engine the second is no work. */
  async #loadChosen(child: EngineChild, requestId: string, hooks: CallHooks): Promise<void> {
    const chosen = this.#chosen;
    if (chosen === null) return;
    await child.peer.call('load', [chosen.file, chosen.options], { signal: hooks.signal, requestId });
    this.#loadedIn = child;
  }

  /** Runs a request; once more, in a new process, when the first one died under it (not when memory ran out: it would again). */
  async #request<T>(hooks: GenerateHooks, send: (child: EngineChild, requestId: string) => Promise<T>): Promise<T> {
    const requestId = `request-${++this.#requests}`;
    this.#hooks.set(requestId, hooks);
    try {
      for (let attempt = 1; ; attempt += 1) {
        const child = await this.#started();
        try {
          if (hooks.signal?.aborted) throw cancelled();
          return await send(child, requestId);
        } catch (error) {
          const { exit } = child;
          const died = exit !== null && exit.error === error && exit.error.code === 'E_ENGINE_CRASHED' && exit.kind !== 'ended';
          if (!died || attempt > 1 || hooks.signal?.aborted) throw error;
          if (exit.kind === 'crashed') this.#announceRestart(exit.error);
        }
      }
    } finally {
      this.#hooks.delete(requestId);
    }
  }

  async #started(): Promise<EngineChild> {
    if (this.#disposed) throw engineStopped('the editor closed it');
    // One that was killed may take a moment to be gone.
    while (this.#child?.ending) await this.#child.gone;
    if (this.#child !== null && this.#starting === null) return this.#child;
    this.#starting ??= this.#start().finally(() => {
      this.#starting = null;
    });
    return await this.#starting;
  }

  async #start(): Promise<EngineChild> {
    if (this.#guard.tripped) {
      throw engineCrashed(
        `it has stopped ${this.#guard.limit} times in a short while and is not started again by itself`,
        'pick another model or run "Restart Engine"; the output channel says more',
      );
    }
    const { idleMilliseconds, inspectPort: setting } = this.#options.startOptions();
    const inspectPort = debuggerPort(setting, process.env);
    this.#setStatus(stoppedStatus('starting'));
    const child: EngineChild = new EngineChild({
      engineFile: this.#options.engineFile,
      idleMilliseconds,
      inspectPort,
      log: this.#options.log,
      listeners: {
        status: (status) => this.#setStatus(this.#titled(status)),
        progress: (progress) => this.#sign(progress.requestId)?.onProgress?.(progress),
        partial: (partial) => this.#sign(partial.requestId)?.onPartial?.(partial),
        token: ({ requestId, text }) => this.#sign(requestId)?.onToken?.(text),
      },
      onExit: (exit) => this.#exited(child, exit),
    });
    this.#child = child;
    // A debugger stops the process for as long as it likes.
    if (inspectPort === 0) this.#heartbeat.start();
    this.#options.log(`Engine started, process ${child.pid ?? 'unknown'}.`);
    this.#setStatus(this.#titled(await child.peer.call('status', [])));
    return child;
  }

  #exited(child: EngineChild, { kind, error }: EngineExit): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#heartbeat.stop();
    this.#progress.stop();
    if (kind === 'crashed') this.#guard.record();
    this.#options.log(kind === 'idle' ? 'Engine ended after being idle.' : `Engine ended. ${error.message}`);
    const failed = kind === 'crashed' || error.code === 'E_ENGINE_UNRESPONSIVE';
    this.#setStatus(stoppedStatus(failed ? 'failed' : 'stopped'));
  }

  /** Once for one crash, however many requests it interrupted. */
  #announceRestart(reason: LoupeError): void {
    if (this.#announced === reason) return;
    this.#announced = reason;
    for (const listener of this.#restartListeners) listener(reason);
  }

  #ping(): void {
    this.#child?.peer.ping().then(
      () => this.#heartbeat.sign(),
      () => undefined,
    );
  }

  #end(why: string): void {
    const unresponsive = engineUnresponsive(why);
    this.#options.log(unresponsive.message);
    void this.#child?.kill(unresponsive);
  }

  /** The hooks of a request that just showed a sign of life. */
  #sign(requestId: string): GenerateHooks | undefined {
    this.#progress.sign();
    const hooks = this.#hooks.get(requestId);
    return hooks?.signal?.aborted ? undefined : hooks;
  }

  #setStatus(status: EngineStatus): void {
    const before = this.#status.running?.requestId;
    this.#status = status;
    if (status.running === null) this.#progress.stop();
    else if (status.running.requestId !== before) this.#progress.start();
    for (const listener of this.#statusListeners) listener(status);
  }

  /** With the titles that the callers gave, which name documents and not only verbs. */
  #titled(status: EngineStatus): EngineStatus {
    const titled = <T extends { readonly requestId: string; readonly title: string }>(entry: T): T => {
      const title = this.#hooks.get(entry.requestId)?.title;
      return title === undefined ? entry : { ...entry, title };
    };
    return { ...status, queue: status.queue.map(titled), running: status.running === null ? null : titled(status.running) };
  }
}

function stoppedStatus(state: EngineState): EngineStatus {
  return { state, model: null, queue: [], running: null };
}
