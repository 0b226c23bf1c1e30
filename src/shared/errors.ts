/**
 * Errors a user can meet. Each has a stable code and says what happened, why, and what to do;
 * one factory per code, all in `errorCatalog.ts`.
 */

/** Which part is at fault; the command line maps it to its exit code (CLI.md). */
export type ErrorKind = 'usage' | 'input' | 'model' | 'engine' | 'cancelled';

export interface ErrorParts {
  readonly code: string;
  readonly kind: ErrorKind;
  /** What happened, one clause without a full stop. */
  readonly what: string;
  /** Why it happened. */
  readonly why: string;
  /** What the user can do now. */
  readonly action: string;
  /** Structured values a caller may need (names of missing variables, both lengths, …). */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class LoupeError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly parts: ErrorParts;

  constructor(parts: ErrorParts, options?: { readonly cause?: unknown }) {
    super(`${parts.code}: ${parts.what}; ${parts.why}; ${parts.action}`, options);
    this.name = 'LoupeError';
    this.code = parts.code;
    this.kind = parts.kind;
    this.parts = parts;
  }
}

/** What crosses a process or thread boundary: a plain object that structured clone keeps whole. */
export interface SerialisedError {
  readonly parts: ErrorParts;
  readonly stack?: string;
}

/** Turns anything thrown into plain data; what is not a LoupeError becomes `E_INTERNAL` and keeps its stack. */
export function serialiseError(error: unknown): SerialisedError {
  if (error instanceof LoupeError) {
    return error.stack === undefined ? { parts: error.parts } : { parts: error.parts, stack: error.stack };
  }
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  const parts: ErrorParts = {
    code: 'E_INTERNAL',
    kind: 'engine',
    what: 'something failed that should not',
    why: message,
    action: 'open the output channel or run with --verbose for the full report, and please file an issue',
  };
  return stack === undefined ? { parts } : { parts, stack };
}

/** The inverse of {@link serialiseError}. */
export function reviveError(serialised: SerialisedError): LoupeError {
  const error = new LoupeError(serialised.parts);
  if (serialised.stack !== undefined) error.stack = serialised.stack;
  return error;
}

/** Any thrown value as a LoupeError. */
export function toLoupeError(error: unknown): LoupeError {
  return error instanceof LoupeError ? error : reviveError(serialiseError(error));
}
