/** The processor, as ggml computes graphs of our own on it: threads, and a poll after every node. */
import koffi from 'koffi';
import { cancelled, outOfMemory } from '../../../shared/errorCatalog.ts';
import type { NativeFunctions, Pointer } from '../../native/functions.ts';

const processor = 0;
const aborted = 1;
const setThreadsType = koffi.proto('void loupe_set_threads(void* backend, int threads)');
const setAbortType = koffi.proto('void loupe_set_abort(void* backend, void* callback, void* data)');
const abortType = koffi.pointer(koffi.proto('bool loupe_graph_abort_callback(void* data)'));

export class GraphBackend {
  readonly functions: NativeFunctions;
  readonly address: Pointer;
  readonly bufferType: Pointer;
  readonly threads: number;
  readonly #abort: bigint;
  #shouldStop: () => boolean = () => false;
  #stopped = false;
  #failed: { readonly error: unknown } | null = null;

  constructor(functions: NativeFunctions, threads: number) {
    this.functions = functions;
    this.threads = threads;
    this.address = functions.ggml_backend_init_by_type(processor, null);
    if (this.address === 0) throw outOfMemory('ggml could not start its processor backend');
    this.bufferType = functions.ggml_backend_get_default_buffer_type(this.address);
    this.#abort = koffi.register(() => this.#poll(), abortType);
    const registry = functions.ggml_backend_dev_backend_reg(functions.ggml_backend_get_device(this.address));
    const set = (name: string) => functions.ggml_backend_reg_get_proc_address(registry, name);
    koffi.call(set('ggml_backend_set_n_threads'), setThreadsType, this.address, threads);
    koffi.call(set('ggml_backend_set_abort_callback'), setAbortType, this.address, this.#abort, 0);
  }

  /**
   * Computes a graph whose tensors have memory. Returns between two nodes when `shouldStop` says so.
   * @throws E_CANCELLED
   */
  compute(graph: Pointer, shouldStop: () => boolean): void {
    this.#shouldStop = shouldStop;
    this.#stopped = false;
    this.#failed = null;
    const status = this.functions.ggml_backend_graph_compute(this.address, graph);
    const failed = this.#failed as { readonly error: unknown } | null;
    if (failed !== null) throw failed.error;
    if (this.#stopped || status === aborted) throw cancelled();
    if (status !== 0) throw outOfMemory(`ggml could not compute the graph (status ${status})`);
  }

  free(): void {
    this.functions.ggml_backend_free(this.address);
    koffi.unregister(this.#abort);
  }

  /** Nothing may be thrown into native code. */
  #poll(): boolean {
    try {
      this.#stopped ||= this.#shouldStop();
    } catch (error) {
      this.#failed = { error };
    }
    return this.#stopped || this.#failed !== null;
  }
}
