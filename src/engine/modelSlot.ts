import { stat } from 'node:fs/promises';
import type { AblationStore } from '../attribution/ablationStore.ts';
import type { Model } from '../model/model.ts';
import { modelNotLoaded } from '../shared/errorCatalog.ts';
import type { LoadOptions, ModelSummary } from '../shared/protocol/engine.ts';
import { createAblationMemory } from './ablationMemory.ts';
import { modelSummary } from './modelSummary.ts';
import { recogniseModel } from './openModel.ts';
import { rememberGenerations } from './rememberGenerations.ts';
import { ModelThread, type ModelThreadOptions } from './modelThread.ts';

/** Responses kept for each opened model. */
const rememberedGenerations = 8;
/** Rows of logits kept of changed prompts, for each opened model: 64 ablations over 1,000 response tokens, about 10 MB. */
const rememberedRows = 65_536;

export interface OpenCall {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

interface Choice {
  readonly file: string;
  readonly options: LoadOptions;
}

interface OpenedModel {
  readonly model: Model;
  /** What it said of changed prompts; ends with it. */
  readonly ablations: AblationStore;
}

interface Opened extends Choice, OpenedModel {
  /** Size and time of change when it was opened: a file that was replaced is opened again. */
  readonly version: string;
}

/**
 * The one model of an engine. It remembers what was chosen: after a failed switch or an idle release
 * the chosen model is opened again by the next request. Not safe for two calls at once; the queue sees to that.
 */
export class ModelSlot {
  readonly #threadOptions: ModelThreadOptions;
  #thread: ModelThread | null = null;
  #chosen: Choice | null = null;
  #opened: Opened | null = null;

  constructor(threadOptions: ModelThreadOptions) {
    this.#threadOptions = threadOptions;
  }

  get summary(): ModelSummary | null {
    return this.#opened === null ? null : modelSummary(this.#opened.model.info);
  }

  /**
   * Chooses and opens a model; the one before is freed first, because two may not fit. When opening fails, the one before stays chosen.
   * @throws as `openModel`
   */
  async load(file: string, options: LoadOptions, call: OpenCall): Promise<ModelSummary> {
    // Before anything is freed: a wrong path must not cost a loaded model.
    await recogniseModel(file);
    const before = this.#chosen;
    try {
      return modelSummary((await this.#open({ file, options }, call)).model.info);
    } catch (error) {
      this.#chosen = before;
      throw error;
    }
  }

  /** The chosen model, opened again where needed. @throws E_MODEL_NOT_LOADED when none was chosen; otherwise as `load` */
  async use(call: OpenCall): Promise<OpenedModel> {
    if (this.#chosen === null) throw modelNotLoaded();
    return await this.#open(this.#chosen, call);
  }

  /** Opens a file only to say what is in it. @throws as `openModel` */
  async inspect(file: string, options: Pick<LoadOptions, 'apiKey'>, call: OpenCall): Promise<ModelSummary> {
    await recogniseModel(file);
    if (this.#opened !== null && this.#opened.file === file) return modelSummary(this.#opened.model.info);
    const model = await this.#startedThread().open(file, { ...call, ...options, threads: 1, contextLength: 0 });
    try {
      return modelSummary(model.info);
    } finally {
      await model.dispose();
    }
  }

  /** Frees the memory; the choice stays. */
  async release(): Promise<void> {
    const opened = this.#opened;
    this.#opened = null;
    await opened?.model.dispose();
  }

  /** Frees the memory and forgets the choice. */
  async unload(): Promise<void> {
    this.#chosen = null;
    await this.release();
  }

  /** Ends the thread and with it everything it holds. */
  async end(): Promise<void> {
    this.#chosen = null;
    this.#opened = null;
    await this.#thread?.end();
  }

  #startedThread(): ModelThread {
    this.#thread ??= new ModelThread(this.#threadOptions);
    return this.#thread;
  }

  async #open(choice: Choice, { signal, onProgress }: OpenCall): Promise<OpenedModel> {
    const version = await fileVersion(choice.file);
    if (this.#opened !== null && sameChoice(this.#opened, choice) && this.#opened.version === version) return this.#opened;
    await this.release();
    const { file, options } = choice;
    const opened = await this.#startedThread().open(file, { ...options, signal, onProgress });
    const model = rememberGenerations(opened, rememberedGenerations);
    this.#opened = { ...choice, model, ablations: createAblationMemory(rememberedRows), version };
    this.#chosen = choice;
    return this.#opened;
  }
}

function sameChoice(a: Choice, b: Choice): boolean {
  return (
    a.file === b.file &&
    a.options.threads === b.options.threads &&
    a.options.contextLength === b.options.contextLength &&
    a.options.gradientBytes === b.options.gradientBytes &&
    a.options.weightBytes === b.options.weightBytes &&
    a.options.provider === b.options.provider &&
    a.options.apiKey === b.options.apiKey
  );
}

/** A file that cannot be asked (deleted meanwhile) counts as unchanged: what is in memory still works. */
async function fileVersion(file: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(file);
    return `${size} ${mtimeMs}`;
  } catch {
    return 'unknown';
  }
}
