/** One factory per user error. Add a code here and a row to docs/errors.md; a test compares the two. */
import { LoupeError } from './errors.ts';

export const cancelled = () =>
  new LoupeError({
    code: 'E_CANCELLED',
    kind: 'cancelled',
    what: 'the run was cancelled',
    why: 'you or a newer request asked for it',
    action: 'run it again when you want the result',
  });

export const contextOverflow = (promptTokens: number, contextTokens: number) =>
  new LoupeError({
    code: 'E_CONTEXT_OVERFLOW',
    kind: 'input',
    what: `the prompt has ${promptTokens} tokens and the model's context holds ${contextTokens}`,
    why: 'nothing is ever cut silently',
    action: 'shorten the prompt, select a part of it, or load a model with a longer context',
    details: { promptTokens, contextTokens },
  });

export const methodUnsupported = (method: string, missing: string, supported: readonly string[]) =>
  new LoupeError({
    code: 'E_METHOD_UNSUPPORTED',
    kind: 'input',
    what: `the method "${method}" cannot run on this model`,
    why: `it needs ${missing}, which this model cannot give`,
    action: `choose one of: ${supported.join(', ')}`,
    details: { method, supported },
  });

export const rpcMethodUnknown = (method: string) =>
  new LoupeError({
    code: 'E_RPC_METHOD_UNKNOWN',
    kind: 'engine',
    what: `the engine has no method "${method}"`,
    why: 'the editor and the engine come from different builds',
    action: 'reload the window; if it stays, install Prompt Loupe again',
    details: { method },
  });

export const engineCrashed = (
  why: string,
  action = 'run it again; if it stays, try a smaller model or open the output channel',
) => new LoupeError({ code: 'E_ENGINE_CRASHED', kind: 'engine', what: 'the engine stopped while it was working', why, action });

export const engineUnresponsive = (why: string) =>
  new LoupeError({
    code: 'E_ENGINE_UNRESPONSIVE',
    kind: 'engine',
    what: 'the engine stopped answering and was ended',
    why,
    action: 'run it again; give it fewer threads, or a shorter prompt, when the machine is busy',
  });

export const engineStopped = (why: string) =>
  new LoupeError({
    code: 'E_ENGINE_STOPPED',
    kind: 'engine',
    what: 'the engine is not running',
    why,
    action: 'start it again and repeat the command',
  });

export const outOfMemory = (why: string) =>
  new LoupeError({
    code: 'E_OUT_OF_MEMORY',
    kind: 'engine',
    what: 'the engine ran out of memory',
    why,
    action: 'close other programs, use a smaller or more quantised model, or set a shorter context',
  });

export const modelNotLoaded = () =>
  new LoupeError({
    code: 'E_MODEL_NOT_LOADED',
    kind: 'model',
    what: 'no model is loaded',
    why: 'none was chosen, or the last one could not be opened',
    action: 'pick a model in the Models view, or name one with --model',
  });

export const modelNotFound = (file: string) =>
  new LoupeError({
    code: 'E_MODEL_NOT_FOUND',
    kind: 'model',
    what: `there is no model file at ${file}`,
    why: 'it was moved, renamed or never downloaded',
    action: 'pick a model in the Models view, or name another with --model',
    details: { file },
  });

export const modelUnreadable = (file: string, why: string) =>
  new LoupeError({
    code: 'E_MODEL_UNREADABLE',
    kind: 'model',
    what: `the model file ${file} cannot be read`,
    why,
    action: 'check the path and its permissions, or pick another model',
    details: { file },
  });

export const modelUnsupported = (file: string, why: string) =>
  new LoupeError({
    code: 'E_MODEL_UNSUPPORTED',
    kind: 'model',
    what: `${file} is not a model this version can open`,
    why,
    action: 'pick a GGUF file',
    details: { file },
  });
