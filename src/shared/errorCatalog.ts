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
