/** Errors of ONNX files and of ONNX Runtime. */
import { LoupeError } from './errors.ts';

/** Where a file lies is nobody's business when a message is passed on; `details` keep it. */
export function nameOf(file: string): string {
  return file.split(/[\\/]/).at(-1) ?? file;
}

export const onnxCorrupt = (file: string, why: string) =>
  new LoupeError({
    code: 'E_ONNX_CORRUPT',
    kind: 'model',
    what: `the model file ${nameOf(file)} is damaged or not a valid ONNX file`,
    why,
    action: 'download it again with all files beside it and compare checksums with the publisher’s, or pick another model',
    details: { file },
  });

export const onnxUnsupported = (file: string, why: string) =>
  new LoupeError({
    code: 'E_ONNX_UNSUPPORTED',
    kind: 'model',
    what: `${nameOf(file)} is not an ONNX model this version can open`,
    why,
    action: 'pick a language model, a text classifier or a sentence encoder as exported by optimum, torch or the genai builder',
    details: { file },
  });

/** An external file of weights that may not be read. `location` is the name the model gives. */
export const onnxExternalData = (file: string, location: string, why: string) =>
  new LoupeError({
    code: 'E_ONNX_EXTERNAL_DATA',
    kind: 'model',
    what: `the weights of ${nameOf(file)} in ${JSON.stringify(location.slice(0, 200))} cannot be used`,
    why,
    action: 'put the model and its data files into one folder, as its publisher has them, or pick another model',
    details: { file },
  });

export const onnxRuntimeMissing = (platform: string, why: string) =>
  new LoupeError({
    code: 'E_ONNX_RUNTIME_MISSING',
    kind: 'engine',
    what: `ONNX Runtime could not be loaded on ${platform}`,
    why,
    action: 'reinstall the extension for your system, or run `npm ci` again; GGUF models work without it',
    details: { platform },
  });

/** ONNX Runtime refused the model or failed while running it; `why` is its own message. */
export const onnxRuntimeFailed = (doing: string, why: string) =>
  new LoupeError({
    code: 'E_ONNX_RUNTIME',
    kind: 'model',
    what: `ONNX Runtime failed while ${doing}`,
    why,
    action: 'check that the file runs in plain ONNX Runtime 1.30; if it does, please file an issue with this text',
  });

/** An execution provider of ONNX Runtime that is not there or does not start. */
export const onnxProvider = (provider: string, why: string, known: readonly string[]) =>
  new LoupeError({
    code: 'E_ONNX_PROVIDER',
    kind: 'engine',
    what: `ONNX Runtime cannot compute on ${JSON.stringify(provider.slice(0, 100))}`,
    why,
    action: `choose another one (it lists ${known.join(', ')}; cpu always works), or install what it needs: its driver and libraries`,
    details: { provider, known },
  });
