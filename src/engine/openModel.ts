import { open } from 'node:fs/promises';
import type { Model } from '../model/model.ts';
import { modelNotFound, modelUnreadable, modelUnsupported } from '../shared/errorCatalog.ts';
import type { LoadOptions } from '../shared/protocol/engine.ts';
import { isServerAddress } from '../shared/serverAddress.ts';

export interface OpenModelOptions extends LoadOptions {
  /** One Int32 in shared memory; any other value than 0 stops the running evaluation within one graph node. */
  readonly cancelFlag?: Int32Array<SharedArrayBuffer>;
  /** Bytes (or another unit of the format) read so far. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** One kind of model. Adding a kind of file is one entry in `modelFormats`. */
export interface ModelFormat {
  readonly id: string;
  open(file: string, options: OpenModelOptions): Promise<Model>;
}

interface FileFormat extends ModelFormat {
  /** `head`: the first 16 bytes of the file, or fewer; null: it is a folder. */
  recognises(head: Buffer | null, file: string): boolean;
}

const modelFormats: readonly FileFormat[] = [
  {
    id: 'gguf',
    recognises: (head) => head?.toString('latin1', 0, 4) === 'GGUF',
    open: async (file, options) => {
      // Imported when needed: only the worker thread may load the native libraries.
      const { openLlamaModel } = await import('../llama/openLlamaModel.ts');
      return await openLlamaModel(file, options);
    },
  },
  {
    id: 'onnx',
    // An ONNX file is a bare protobuf message without a magic number; a folder is one with an ONNX model in it.
    recognises: (head, file) => head === null || file.toLowerCase().endsWith('.onnx'),
    open: async (file, options) => {
      const { openOnnxModel } = await import('../onnx/openOnnxModel.ts');
      return await openOnnxModel(file, options);
    },
  },
];

/** A model that is named by an address and lies on another machine, or in another process of this one. */
const remoteFormat: ModelFormat = {
  id: 'remote',
  open: async (address, options) => {
    const { openRemoteModel } = await import('../remote/openRemoteModel.ts');
    return await openRemoteModel(address, options);
  },
};

/**
 * Tells the kind of a model: an address by its form, a file by its first bytes, reading nothing more.
 * @throws E_MODEL_NOT_FOUND, E_MODEL_UNREADABLE (no permission), E_MODEL_UNSUPPORTED (another kind of file)
 */
export async function recogniseModel(file: string): Promise<ModelFormat> {
  if (isServerAddress(file)) return remoteFormat;
  const head = await readHead(file);
  const format = modelFormats.find((candidate) => candidate.recognises(head, file));
  if (format === undefined) {
    const why =
      head?.length === 0 ? 'the file is empty' : 'it does not begin with the letters GGUF, and its name does not end in .onnx';
    throw modelUnsupported(file, why);
  }
  return format;
}

/** Opens a model in this thread. @throws as `recogniseModel`, and as the format's own `open` */
export async function openModel(file: string, options: OpenModelOptions): Promise<Model> {
  const format = await recogniseModel(file);
  return await format.open(file, options);
}

/** Null for a folder. */
async function readHead(file: string): Promise<Buffer | null> {
  try {
    const handle = await open(file, 'r');
    try {
      const status = await handle.stat();
      if (status.isDirectory()) return null;
      if (!status.isFile()) throw modelUnreadable(file, 'it is not a file');
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(16), 0, 16, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fileError(file, error);
  }
}

function fileError(file: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return modelNotFound(file);
  if (code === 'EACCES' || code === 'EPERM') return modelUnreadable(file, 'this user may not read it');
  return error;
}
