import { Cancellation } from '../model/runtime/cancellation.ts';

/** How often the flag is looked at while a request is under way. */
const pollMilliseconds = 20;

/**
 * Runs a task with a signal that is aborted by the caller's own, or by the flag another thread sets: a request waits in this thread's
 * event loop, where no native code polls the flag. @throws E_CANCELLED, and as `task`
 */
export async function withAbortSignal<T>(
  flag: Int32Array | undefined,
  signal: AbortSignal | undefined,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const cancellation = new Cancellation(flag, signal);
  cancellation.check();
  const controller = new AbortController();
  const stop = () => controller.abort();
  const timer = setInterval(() => cancellation.requested() && stop(), pollMilliseconds);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    const result = await task(controller.signal);
    cancellation.check();
    return result;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', stop);
  }
}
