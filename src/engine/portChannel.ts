import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads';
import type { RpcChannel } from '../shared/protocol/rpc.ts';

/** Below this many bytes copying is cheaper than transferring. */
const transferThreshold = 64 * 1024;

/**
 * A worker thread's wire.
 * @param transferOut hand large arrays over instead of copying them: only where the sender gives up what it sends
 */
export function portChannel(port: MessagePort | Worker, transferOut: boolean): RpcChannel {
  return {
    post: (message) => {
      if (transferOut) port.postMessage(message, transferable(message));
      else port.postMessage(message);
    },
    listen: (listener) => {
      port.on('message', listener);
    },
  };
}

/** Large buffers that one typed array owns whole; found in plain objects, arrays and maps. */
export function transferable(message: unknown): TransferListItem[] {
  const found = new Set<ArrayBuffer>();
  collect(message, found);
  return [...found];
}

function collect(value: unknown, found: Set<ArrayBuffer>): void {
  if (typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value)) {
    const { buffer } = value;
    const whole = buffer instanceof ArrayBuffer && buffer.byteLength === value.byteLength;
    if (whole && value.byteLength >= transferThreshold) found.add(buffer);
    return;
  }
  const parts = value instanceof Map || Array.isArray(value) ? value.values() : Object.values(value);
  for (const part of parts) collect(part, found);
}
