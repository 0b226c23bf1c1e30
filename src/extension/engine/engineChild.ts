import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { createInterface } from 'node:readline';
import { engineCrashed, outOfMemory } from '../../shared/errorCatalog.ts';
import type { LoupeError } from '../../shared/errors.ts';
import type { EngineEvents, EngineMethods } from '../../shared/protocol/engine.ts';
import { createRpcPeer, type RpcChannel, type RpcListeners, type RpcPeer } from '../../shared/protocol/rpc.ts';
import { engineEnvironment } from './engineEnvironment.ts';

/** How one engine process ended: by itself with nothing wrong (idle), by a fault, or because we ended it. */
export interface EngineExit {
  readonly kind: 'idle' | 'crashed' | 'ended';
  /** What every call that was waiting rejects with. */
  readonly error: LoupeError;
}

export interface EngineChildOptions {
  /** `dist/engine.cjs` */
  readonly engineFile: string;
  /** 0 = never ends by itself. */
  readonly idleMilliseconds: number;
  /** 0 = no debugger; else one can attach on this port of the loopback interface. */
  readonly inspectPort: number;
  /** One line the process wrote. */
  readonly log: (line: string) => void;
  readonly listeners: RpcListeners<EngineEvents>;
  readonly onExit: (exit: EngineExit) => void;
}

/** After `exit`, how long the last lines of standard error may take to arrive. */
const drainMilliseconds = 500;
/** How long an engine may take to stop when asked, before it is killed. */
const graceMilliseconds = 4_000;

/** One run of the engine process and the wire to it. */
export class EngineChild {
  readonly peer: RpcPeer<EngineMethods, object>;
  /** Resolves when the process is gone and `exit` is set. */
  readonly gone: Promise<void>;
  readonly #process: ChildProcess;
  readonly #lastLines: string[] = [];
  #reason: LoupeError | null = null;
  #exit: EngineExit | null = null;

  constructor(options: EngineChildOptions) {
    this.#process = fork(options.engineFile, [`--idle-milliseconds=${options.idleMilliseconds}`], {
      env: engineEnvironment(process.env),
      // Not the host's: its inspector port is taken.
      execArgv: options.inspectPort > 0 ? [`--inspect=127.0.0.1:${options.inspectPort}`] : [],
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.peer = createRpcPeer<object, EngineMethods, object, EngineEvents, AbortSignal>({
      channel: childChannel(this.#process),
      handlers: {},
      listeners: options.listeners,
      newController: () => new AbortController(),
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#heard(line, options.log));
    }
    this.gone = new Promise((resolve) => {
      const finish = (exit: EngineExit) => {
        if (this.#exit !== null) return;
        this.#exit = exit;
        this.peer.close(exit.error);
        options.onExit(exit);
        resolve();
      };
      this.#process.once('error', (error) => {
        if (this.#process.pid === undefined) {
          finish({ kind: 'crashed', error: engineCrashed(`it could not be started: ${error.message}`, 'reload the window') });
        }
      });
      this.#process.once('exit', (code, signal) => {
        const drained = () => finish(this.#describe(code, signal));
        const timer = setTimeout(drained, drainMilliseconds);
        this.#process.once('close', () => {
          clearTimeout(timer);
          drained();
        });
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Null while it runs. */
  get exit(): EngineExit | null {
    return this.#exit;
  }

  /** We are ending it; the wire is closed already. */
  get ending(): boolean {
    return this.#reason !== null && this.#exit === null;
  }

  /** Ends the process at once; what waits rejects with `reason`. */
  async kill(reason: LoupeError): Promise<void> {
    this.#reason ??= reason;
    this.peer.close(this.#reason);
    this.#process.kill('SIGKILL');
    await this.gone;
  }

  /** Lets the process stop what it does and clean up, then ends it. */
  async stop(reason: LoupeError): Promise<void> {
    this.#reason ??= reason;
    this.peer.close(this.#reason);
    if (this.#process.connected) this.#process.disconnect();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), graceMilliseconds);
    await this.gone;
    clearTimeout(timer);
  }

  #heard(line: string, log: (line: string) => void): void {
    this.#lastLines.push(line);
    if (this.#lastLines.length > 20) this.#lastLines.shift();
    log(line);
  }

  #describe(code: number | null, signal: NodeJS.Signals | null): EngineExit {
    if (this.#reason !== null) return { kind: 'ended', error: this.#reason };
    if (code === 0) return { kind: 'idle', error: engineCrashed('it went to sleep as the command arrived') };
    // The first is V8's own last word, the second the engine's about the model's thread.
    if (this.#lastLines.some((line) => line.includes('heap out of memory') || line.startsWith('E_OUT_OF_MEMORY'))) {
      return { kind: 'crashed', error: outOfMemory('its JavaScript heap is full') };
    }
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    const hint = signal === 'SIGKILL' ? ', as the system does when memory runs out' : '';
    return { kind: 'crashed', error: engineCrashed(`its process was ended ${how}${hint}`) };
  }
}

function childChannel(child: ChildProcess): RpcChannel {
  return {
    // The callback takes the error of a channel that closed meanwhile; `exit` rejects the call.
    post: (message) => {
      child.send(message as Serializable, () => undefined);
    },
    listen: (listener) => {
      child.on('message', listener);
    },
  };
}
