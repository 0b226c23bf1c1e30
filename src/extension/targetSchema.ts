/** A target as data from outside: a message of a webview, a file of the history. */
import * as v from 'valibot';

export const indexSchema = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0x7fff_ffff));
const shortText = v.pipe(v.string(), v.maxLength(100_000));

export const targetSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('next') }),
  v.strictObject({ kind: v.literal('response') }),
  v.strictObject({ kind: v.literal('span'), from: indexSchema, to: indexSchema }),
  v.strictObject({ kind: v.literal('text'), text: shortText }),
  v.strictObject({ kind: v.literal('id'), id: indexSchema }),
  v.strictObject({ kind: v.literal('contrast'), a: shortText, b: shortText, at: v.exactOptional(indexSchema) }),
  v.strictObject({ kind: v.literal('entropy'), at: v.exactOptional(indexSchema) }),
  v.strictObject({ kind: v.literal('kl'), prompt: shortText }),
  v.strictObject({ kind: v.literal('class'), name: shortText }),
  v.strictObject({ kind: v.literal('similarity'), text: shortText }),
]);
