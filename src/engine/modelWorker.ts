import type { MessagePort } from 'node:worker_threads';
import type { Model } from '../model/model.ts';
import { modelNotLoaded } from '../shared/errorCatalog.ts';
import { createRpcPeer, type RpcHandlers, type RpcPeer } from '../shared/protocol/rpc.ts';
import { openModel } from './openModel.ts';
import { portChannel } from './portChannel.ts';
import type { WorkerEvents, WorkerMethods, WorkerStart } from './workerProtocol.ts';

/**
 * The thread that holds the native model. It answers one call after another: a native evaluation blocks it,
 * so cancelling goes through the shared flag and not through a message.
 */
export function serveModel(port: MessagePort, start: WorkerStart): void {
  let model: Model | null = null;
  const opened = (): Model => {
    if (model === null) throw modelNotLoaded();
    return model;
  };
  const handlers: RpcHandlers<WorkerMethods, AbortSignal> = {
    open: async ({ requestId }, file, options) => {
      model = await openModel(file, {
        ...options,
        cancelFlag: start.cancelFlag,
        onProgress: (done, total) => peer.emit('loading', requestId, done, total),
      });
      return model.info;
    },
    encode: (_call, text, options) => opened().tokenizer.encode(text, options),
    decode: (_call, ids) => opened().tokenizer.decode(ids),
    pieces: (_call, ids) => opened().tokenizer.pieces(ids),
    renderChat: (_call, messages, options) => opened().tokenizer.renderChat(messages, options),
    special: () => opened().tokenizer.special(),
    forward: (_call, request) => opened().forward(request),
    forwardVariants: ({ requestId }, request, stream) =>
      opened().forwardVariants(request, {
        // A copy: large arrays of an event are handed over, and the same result is part of the answer.
        ...(stream ? { onResult: (index, result) => peer.emit('variant', requestId, index, structuredClone(result)) } : {}),
      }),
    generate: ({ requestId }, request) =>
      opened().generate(request, { onToken: (token) => peer.emit('token', requestId, token) }),
    dispose: async () => {
      await model?.dispose();
      model = null;
    },
  };
  const peer: RpcPeer<object, WorkerEvents> = createRpcPeer<WorkerMethods, object, WorkerEvents, object, AbortSignal>({
    channel: portChannel(port, true),
    handlers,
    newController: () => new AbortController(),
  });
}
