import type { MessagePort } from 'node:worker_threads';
import type { GradientOptions } from '../model/gradient.ts';
import type { Model } from '../model/model.ts';
import { modelNotLoaded } from '../shared/errorCatalog.ts';
import { createRpcPeer, type RpcHandlers, type RpcPeer } from '../shared/protocol/rpc.ts';
import { openModel } from './openModel.ts';
import { portChannel } from './portChannel.ts';
import type { WorkerEvents, WorkerMethods, WorkerStart } from './workerProtocol.ts';

/**
 * The thread that holds the native models. It is sent one call at a time: a native evaluation blocks it,
 * so cancelling goes through the shared flag and not through a message.
 */
export function serveModels(port: MessagePort, start: WorkerStart): void {
  const models = new Map<number, Model>();
  let opened = 0;
  const find = (number: number): Model => {
    const model = models.get(number);
    if (model === undefined) throw modelNotLoaded();
    return model;
  };
  const telling = (requestId: string): GradientOptions => ({
    onPlan: (plan) => peer.emit('plan', requestId, plan),
    onProgress: (done, total) => peer.emit('gradientProgress', requestId, done, total),
  });
  const handlers: RpcHandlers<WorkerMethods, AbortSignal> = {
    open: async ({ requestId }, file, options) => {
      const model = await openModel(file, {
        ...options,
        cancelFlag: start.cancelFlag,
        onProgress: (done, total) => peer.emit('loading', requestId, done, total),
      });
      opened += 1;
      models.set(opened, model);
      return { model: opened, info: model.info };
    },
    encode: (_call, model, text, options) => find(model).tokenizer.encode(text, options),
    decode: (_call, model, ids) => find(model).tokenizer.decode(ids),
    pieces: (_call, model, ids) => find(model).tokenizer.pieces(ids),
    renderChat: (_call, model, messages, options) => find(model).tokenizer.renderChat(messages, options),
    special: (_call, model) => find(model).tokenizer.special(),
    forward: (_call, model, request) => find(model).forward(request),
    forwardVariants: ({ requestId }, model, request, stream) =>
      find(model).forwardVariants(request, {
        // A copy: large arrays of an event are handed over, and the same result is part of the answer.
        ...(stream ? { onResult: (index, result) => peer.emit('variant', requestId, index, structuredClone(result)) } : {}),
      }),
    generate: ({ requestId }, model, request) =>
      find(model).generate(request, { onToken: (token) => peer.emit('token', requestId, token) }),
    gradient: ({ requestId }, model, request) => find(model).gradient(request, telling(requestId)),
    gradientAlong: ({ requestId }, model, request) => find(model).gradientAlong(request, telling(requestId)),
    unembed: (_call, model, request) => find(model).unembed(request),
    dispose: async (_call, model) => {
      const found = models.get(model);
      models.delete(model);
      await found?.dispose();
    },
  };
  const peer: RpcPeer<object, WorkerEvents> = createRpcPeer<WorkerMethods, object, WorkerEvents, object, AbortSignal>({
    channel: portChannel(port, true),
    handlers,
    newController: () => new AbortController(),
  });
}
