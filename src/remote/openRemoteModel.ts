/** Connects to a server by its address: finds out what it speaks, what its model is, and whether it tells what is needed. */
import { serverUnsupported } from '../shared/serverErrors.ts';
import { serverAddress } from '../shared/serverAddress.ts';
import { HttpClient, type HttpLimits } from './httpClient.ts';
import { serverProtocols } from './protocols.ts';
import { RemoteModel } from './remoteModel.ts';
import { withAbortSignal } from './withAbortSignal.ts';

export interface OpenRemoteOptions {
  /** Tokens; 0 = as many as the server takes. */
  readonly contextLength: number;
  /** Sent as a bearer token to this address and nowhere else; never logged, never part of a result. */
  readonly apiKey?: string;
  readonly cancelFlag?: Int32Array;
  readonly limits?: HttpLimits;
  readonly onProgress?: (done: number, total: number) => void;
}

/** @throws E_SERVER_ADDRESS, E_SERVER_UNSUPPORTED, and as `ServerProtocol.connect` */
export async function openRemoteModel(name: string, options: OpenRemoteOptions): Promise<RemoteModel> {
  const client = new HttpClient(serverAddress(name), options.apiKey, options.limits);
  options.onProgress?.(0, 1);
  return await withAbortSignal(options.cancelFlag, undefined, async (signal) => {
    for (const protocol of serverProtocols) {
      const server = await protocol.connect(client, options.contextLength, signal);
      if (server === null) continue;
      options.onProgress?.(1, 1);
      return new RemoteModel(server, options.cancelFlag);
    }
    const spoken = serverProtocols.map(({ id }) => id).join(', ');
    throw serverUnsupported(client.address, `it answers as none of these does: ${spoken}`);
  });
}
