import type * as OnnxRuntime from 'onnxruntime-node';
import { onnxRuntimeMissing } from '../../shared/onnxErrors.ts';

export type Runtime = typeof OnnxRuntime;

let loaded: Promise<Runtime> | null = null;

/**
 * ONNX Runtime, loaded when the first ONNX model is opened: GGUF models do without it.
 * @param load loads the package; given by tests of a system that has none
 * @throws E_ONNX_RUNTIME_MISSING when there is no native library for this system
 */
export async function loadRuntime(load: () => Promise<Runtime> = () => import('onnxruntime-node')): Promise<Runtime> {
  loaded ??= load();
  try {
    const runtime = await loaded;
    // What it would print on standard error is thrown as well.
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (error) {
    loaded = null;
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? error.message) : String(error);
    throw onnxRuntimeMissing(`${process.platform}-${process.arch}`, why);
  }
}
