/** Begins a pass in the middle of its graph. */
import koffi from 'koffi';
import type { Pointer } from '../native/functions.ts';
import { tensorOffsets } from '../native/structs.ts';
import type { NodeObserver } from './callbacks.ts';

/** ggml computes nothing for a tensor without an operator. */
const noOperator = 0;

/**
 * Takes the operator off every node up to the one where the pass begins, as llama.cpp shows them and before it computes them; what the
 * last of them would have held must be written by `inner` when it is ready. llama.cpp may use the same graph again, so
 * {@link SkippingObserver.restore} must be called when the pass has ended, however it ended.
 */
export class SkippingObserver implements NodeObserver {
  readonly #inner: NodeObserver;
  readonly #last: number;
  readonly #skipped: { readonly tensor: Pointer; readonly operator: number }[] = [];

  /** @param last index of the node that is given */
  constructor(inner: NodeObserver, last: number) {
    this.#inner = inner;
    this.#last = last;
  }

  wants(index: number, tensor: Pointer): boolean {
    if (index <= this.#last) this.#skip(tensor);
    return this.#inner.wants(index, tensor);
  }

  ready(index: number, tensor: Pointer): void {
    this.#inner.ready(index, tensor);
  }

  restore(): void {
    for (const { tensor, operator } of this.#skipped.splice(0)) koffi.encode(tensor, tensorOffsets.operator, 'int32', operator);
  }

  #skip(tensor: Pointer): void {
    this.#skipped.push({ tensor, operator: koffi.decode(tensor, tensorOffsets.operator, 'int32') as number });
    koffi.encode(tensor, tensorOffsets.operator, 'int32', noOperator);
  }
}
