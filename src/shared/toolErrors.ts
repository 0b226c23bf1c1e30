/** Errors of single tools that look inside a model; those of all of them are in `errorCatalog.ts`. */
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
