/** Whether a server that is waited for still listens: one that shuts down may keep our connection open and answer nothing on it. */
export interface Watch {
  /** Aborted once nothing listens at the address any more. */
  readonly gone: AbortSignal;
  end(): void;
}

/** Looks every so many seconds. Any answer, and none at all, is taken for life; only a refused connection is not. */
export function watchServer(address: string, seconds: number): Watch {
  const gone = new AbortController();
  const ended = new AbortController();
  let isLooking = false;
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    try {
      const answer = await fetch(`${address}/health`, { redirect: 'manual', signal: ended.signal });
      await answer.body?.cancel();
    } catch (error) {
      if (isRefused(error)) gone.abort();
    } finally {
      isLooking = false;
    }
  };
  const timer = setInterval(() => void look(), seconds * 1_000);
  return {
    gone: gone.signal,
    end: () => {
      clearInterval(timer);
      ended.abort();
    },
  };
}

function isRefused(error: unknown): boolean {
  if (!(error instanceof TypeError)) return false;
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
