import type { LoupeError } from '../../shared/errors.ts';
import { onnxCorrupt } from '../../shared/onnxErrors.ts';
import type { ExternalFiles } from './externalFiles.ts';
import type { FileWindow } from './fileWindow.ts';

/** Numbers, names and nodes a file may hold in all: far above any model, far below what would fill the memory. */
const itemLimit = 20_000_000;

/** What decoding reads from, and what it may spend. */
export class Source {
  #items = 0;

  constructor(
    /** The path as the user gave it, for messages. */
    readonly path: string,
    /** Name of the model file in its folder. */
    readonly file: string,
    readonly window: FileWindow,
    readonly external: ExternalFiles,
  ) {}

  corrupt(why: string): LoupeError {
    return onnxCorrupt(this.path, why);
  }

  /** Counts decoded items. @throws E_ONNX_CORRUPT when a file claims an absurd number of them */
  spend(items: number): void {
    this.#items += items;
    if (this.#items > itemLimit) throw this.corrupt(`it holds more than ${itemLimit} names and numbers beside its weights`);
  }
}
