import { writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { engineStopped } from '../shared/errorCatalog.ts';
import type { EngineEvents, EngineMethods } from '../shared/protocol/engine.ts';
import { createRpcPeer, type RpcChannel } from '../shared/protocol/rpc.ts';
import { EngineService } from './service.ts';

/** How long the running evaluation may take to stop when the editor is gone. */
const shutdownMilliseconds = 3_000;

/**
 * Serves the process that forked this one, until it disconnects or the engine has been idle.
 * @param bundle this very file, from which the model's thread is started
 */
export function serveProcess(bundle: string): void {
  if (process.send === undefined) {
    process.stderr.write('This is the engine of Prompt Loupe. The editor starts it; on the command line use prompt-loupe.\n');
    process.exitCode = 2;
    return;
  }
  const { values } = parseArgs({ options: { 'idle-milliseconds': { type: 'string', default: '0' } } });
  const service = new EngineService({
    workerFile: bundle,
    events: {
      progress: (progress) => peer.emit('progress', progress),
      partial: (partial) => peer.emit('partial', partial),
      token: (token) => peer.emit('token', token),
      status: (status) => peer.emit('status', status),
    },
    idleMilliseconds: Number(values['idle-milliseconds']),
    // Code 0 tells the editor that nothing went wrong: the next command starts a new engine.
    onIdle: () => process.exit(0),
    // The native libraries cannot be loaded by a second thread: the editor starts a new process.
    onThreadLost: (error) => {
      writeSync(process.stderr.fd, `${error.message}\n`);
      process.exit(1);
    },
  });
  const peer = createRpcPeer<EngineMethods, object, EngineEvents, object, AbortSignal>({
    channel: processChannel(),
    handlers: service.methods,
    newController: () => new AbortController(),
  });
  process.once('disconnect', () => {
    peer.close(engineStopped('the editor is gone'));
    // A thread inside a native call cannot be ended from JavaScript, and exit() would wait for it.
    setTimeout(endAtOnce, shutdownMilliseconds);
    service.dispose().then(endAtOnce, endAtOnce);
  });
}

function endAtOnce(): void {
  process.kill(process.pid, 'SIGKILL');
}

function processChannel(): RpcChannel {
  return {
    // The callback takes the error of a channel that closed meanwhile; `disconnect` handles it.
    post: (message) => {
      process.send?.(message, undefined, undefined, () => undefined);
    },
    listen: (listener) => {
      process.on('message', listener);
    },
  };
}
