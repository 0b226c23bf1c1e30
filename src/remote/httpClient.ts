/** Asks one server for JSON, and nothing of any other host. What it sends back is hostile input: bounded in size, in time and in where it may lead. */
import { cancelled } from '../shared/errorCatalog.ts';
import {
  serverAnswer,
  serverBusy,
  serverKeyRefused,
  serverRedirect,
  serverTimeout,
  serverUnreachable,
} from '../shared/serverErrors.ts';
import { readBody } from './readBody.ts';
import { refusalOf } from './refusal.ts';
import { watchServer } from './watchServer.ts';

export interface HttpLimits {
  /** For what a server answers from memory. */
  readonly quickSeconds: number;
  /** For what it has to evaluate first. */
  readonly slowSeconds: number;
  /** Bytes of one answer. A whole vocabulary of 260,000 tokens takes about 25 MB. */
  readonly answerBytes: number;
  /** How long a server that is loading its model is waited for. */
  readonly busySeconds: number;
  /** How often it is seen whether a server that evaluates still listens. */
  readonly watchSeconds: number;
}

const defaultLimits: HttpLimits = {
  quickSeconds: 30,
  slowSeconds: 600,
  answerBytes: 64_000_000,
  busySeconds: 60,
  watchSeconds: 3,
};

export interface HttpRequest {
  readonly path: string;
  /** Absent: GET. */
  readonly body?: object;
  readonly speed: 'quick' | 'slow';
  readonly signal: AbortSignal;
}

export class HttpClient {
  /** As the user knows it; no slash at the end. */
  readonly address: string;
  readonly #key: string | undefined;
  readonly #limits: HttpLimits;

  constructor(address: string, key: string | undefined, limits: HttpLimits = defaultLimits) {
    this.address = address;
    this.#key = key;
    this.#limits = limits;
  }

  /**
   * The parsed answer, or null where the server has no such place (404, 405, 501). A server that is loading or busy is asked again.
   * @throws E_SERVER_UNREACHABLE, E_SERVER_TIMEOUT, E_SERVER_BUSY, E_SERVER_KEY, E_SERVER_REDIRECT, E_SERVER_REFUSED, E_SERVER_ANSWER,
   * E_CONTEXT_OVERFLOW, E_CANCELLED
   */
  async ask(request: HttpRequest): Promise<unknown> {
    const patience = AbortSignal.timeout(this.#limits.busySeconds * 1_000);
    for (let wait = 250; ; wait = Math.min(2 * wait, 4_000)) {
      const { status, text, location } = await this.#send(request);
      if (status === 503 || status === 429) {
        const why = status === 503 ? 'it is loading its model or has no free place' : 'it was asked too often';
        if (patience.aborted) throw serverBusy(this.address, why);
        await pause(wait, AbortSignal.any([request.signal, patience]));
        if (request.signal.aborted) throw cancelled();
        continue;
      }
      if (status >= 300 && status < 400) throw serverRedirect(this.address, this.#hostOf(location));
      if (status === 401 || status === 403) throw serverKeyRefused(this.address, this.#key !== undefined);
      if (status === 404 || status === 405 || status === 501) return null;
      if (status !== 200) throw refusalOf(this.address, status, text, this.#key);
      return this.#parse(text);
    }
  }

  async #send({ path, body, speed, signal }: HttpRequest) {
    const seconds = speed === 'quick' ? this.#limits.quickSeconds : this.#limits.slowSeconds;
    const timeout = AbortSignal.timeout(seconds * 1_000);
    const watch = speed === 'slow' ? watchServer(this.address, this.#limits.watchSeconds) : null;
    try {
      const response = await fetch(`${this.address}${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.any([signal, timeout, ...(watch === null ? [] : [watch.gone])]),
      });
      const text = await readBody(response, this.#limits.answerBytes);
      if (text === null) throw serverAnswer(this.address, `it has more than ${this.#limits.answerBytes} bytes`);
      return { status: response.status, text, location: response.headers.get('location') ?? '' };
    } catch (error) {
      if (signal.aborted) throw cancelled();
      if (watch?.gone.aborted === true) throw serverUnreachable(this.address, 'it stopped listening before it had answered');
      if (timeout.aborted) throw serverTimeout(this.address, seconds);
      if (error instanceof TypeError) throw serverUnreachable(this.address, reasonOf(error));
      throw error;
    } finally {
      watch?.end();
    }
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      const looks = /^\s*</.test(text) ? 'it is a web page' : text === '' ? 'it is empty' : 'it is not JSON';
      throw serverAnswer(this.address, looks);
    }
  }

  /** Only the host: the rest of a hostile address is nothing to show. */
  #hostOf(location: string): string {
    try {
      return new URL(location, this.address).host;
    } catch {
      return 'an address that cannot be read';
    }
  }
}

/** Node says `fetch failed` and keeps the reason in the cause. */
function reasonOf(error: TypeError): string {
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens at this address';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name is not known';
    default:
      return `the connection failed${code === '' ? '' : ` (${code})`}, or ended before the answer was whole`;
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    signal.addEventListener('abort', finish, { once: true });
    if (signal.aborted) finish();
  });
}
