import type { ReadableStream } from 'node:stream/web';

/** The text of an answer, or null when it has more than `limit` bytes; what lies behind them is not read. */
export async function readBody(response: Response, limit: number): Promise<string | null> {
  if (response.body === null) return '';
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks).toString('utf8');
    size += value.byteLength;
    if (size > limit) {
      // The connection is given up; how that ends is of no interest.
      void reader.cancel().catch(() => undefined);
      return null;
    }
    chunks.push(value);
  }
}
