/** A server on the loopback interface that answers JSON with JSON, and keeps what it was asked. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly authorization: string | undefined;
}

export interface JsonServer {
  readonly address: string;
  readonly requests: Asked[];
  close(): Promise<void>;
}

/** @param port 0: wherever there is room @param answer status and body; what it throws is a fault of the server */
export async function serveJson(
  port: number,
  answer: (asked: Asked) => Promise<readonly [number, unknown]>,
): Promise<JsonServer> {
  const requests: Asked[] = [];
  const server = createServer((request, response) => {
    void handle(request).then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(JSON.stringify({ error: { message: String(error) } })),
    );
  });
  async function handle(request: IncomingMessage) {
    const body = JSON.parse((await textOf(request)) || '{}') as Record<string, unknown>;
    const asked = { path: request.url ?? '', body, authorization: request.headers.authorization };
    requests.push(asked);
    return await answer(asked);
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
