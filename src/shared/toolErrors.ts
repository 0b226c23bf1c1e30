/** Errors of tools that look inside a model. */
import { LoupeError } from './errors.ts';

/** A prompt, or the response to it, in which the tool finds nothing to work on. */
export const toolPrompt = (tool: string, why: string, action: string) =>
  new LoupeError({
    code: 'E_TOOL_PROMPT',
    kind: 'input',
    what: `the tool "${tool}" has nothing to work on in this prompt`,
    why,
    action,
    details: { tool },
  });

export const toolUnknown = (tool: string, known: readonly string[]) =>
  new LoupeError({
    code: 'E_TOOL_UNKNOWN',
    kind: 'input',
    what: `there is no tool "${tool}"`,
    why: 'its name is not in the list of tools that look inside a model',
    action: `choose one of: ${known.join(', ')}`,
    details: { tool, known },
  });

export const toolUnsupported = (tool: string, missing: string, supported: readonly string[]) =>
  new LoupeError({
    code: 'E_TOOL_UNSUPPORTED',
    kind: 'input',
    what: `the tool "${tool}" cannot run on this model`,
    why: `it needs ${missing}, which this model cannot give`,
    action: supported.length > 0 ? `choose one of: ${supported.join(', ')}` : 'load another model',
    details: { tool, supported },
  });

/** A parameter the tool does not have, a value it does not take, or one that does not fit the prompt. */
export const toolParameter = (tool: string, parameter: string, why: string, action: string) =>
  new LoupeError({
    code: 'E_TOOL_PARAMETER',
    kind: 'input',
    what: `the tool "${tool}" cannot take the parameter "${parameter}"`,
    why,
    action,
    details: { tool, parameter },
  });

/** An edit that a tool proposed, and that the document cannot take as it stands. */
export const editUnfit = (why: string, action: string) =>
  new LoupeError({ code: 'E_EDIT_UNFIT', kind: 'input', what: 'the edit was not applied', why, action });
