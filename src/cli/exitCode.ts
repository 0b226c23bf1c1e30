/** Exit codes by kind of error; users script against them (CLI contract). */
import type { ErrorKind } from '../shared/errors.ts';

export const exitCodes: Readonly<Record<ErrorKind, number>> = { usage: 2, input: 3, model: 4, engine: 5, cancelled: 130 };
