/** What a server says when it refuses a request: `{ "error": { "message", "type", … } }`, if it keeps to that form. */
import * as v from 'valibot';
import { contextOverflow } from '../shared/errorCatalog.ts';
import type { LoupeError } from '../shared/errors.ts';
import { serverRefused } from '../shared/serverErrors.ts';

const schema = v.object({
  error: v.object({
    message: v.optional(v.string()),
    type: v.optional(v.string()),
    n_prompt_tokens: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
    n_ctx: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  }),
});

const mostCharacters = 200;

/** @param key never shown, even where the server repeats it */
export function refusalOf(address: string, status: number, text: string, key: string | undefined): LoupeError {
  const read = v.safeParse(schema, parsed(text));
  if (!read.success) return serverRefused(address, status, 'it gives no reason');
  const { message = '', type, n_prompt_tokens: tokens, n_ctx: context } = read.output.error;
  if (type === 'exceed_context_size_error' && tokens !== undefined && context !== undefined)
    return contextOverflow(tokens, context);
  const shown = (key === undefined || key === '' ? message : message.replaceAll(key, '…')).replace(/\p{C}+/gu, ' ').trim();
  return serverRefused(address, status, shown === '' ? 'it gives no reason' : `it says: ${shown.slice(0, mostCharacters)}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
