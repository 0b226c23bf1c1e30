import * as v from 'valibot';
import { serverAnswer } from '../shared/serverErrors.ts';

/** An answer in the form it must have. @throws E_SERVER_ANSWER naming the first field that does not fit */
export function checked<T>(address: string, schema: v.GenericSchema<unknown, T>, answer: unknown): T {
  const result = v.safeParse(schema, answer, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue) ?? 'the answer';
  throw serverAnswer(address, answer === null ? 'it has no such place' : `${place} is not what it should be`);
}
