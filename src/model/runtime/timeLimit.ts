/** Ends what a hostile file makes run for ever: templates, patterns. */
import { Script, createContext } from 'node:vm';

const script = new Script('work()');
/** Made once: to make one takes as long as to read a prompt. */
const context = createContext({});

/**
 * What `work` gives. It cannot be interrupted from outside, but V8 can stop everything that a script calls, a pattern under way too.
 * @throws what `work` throws, or an error that `overTime` knows
 */
export function withTimeLimit<T>(work: () => T, milliseconds: number): T {
  context['work'] = work;
  return script.runInContext(context, { timeout: milliseconds }) as T;
}

/** A timeout is made in the script's own context, so it is known by its code, not by its class. */
export function overTime(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
