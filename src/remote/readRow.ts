/** One row of predictions, read from a server. Log-probabilities stand for logits: their logSumExp is 0. */
import type { RowRead, RowResult } from '../model/model.ts';
import { summariseRow } from '../model/runtime/rowSummary.ts';
import { methodUnsupported } from '../shared/errorCatalog.ts';
import { serverProbabilities } from '../shared/serverErrors.ts';
import type { ListedToken, ServerConnection } from './serverProtocol.ts';

/** What still runs where a server does not tell whole rows. */
const withoutRows = ['explain with the targets next, response, text, id or contrast', 'logprobs', 'generate'];

/**
 * A token outside of the list is asked for by itself, or with the whole vocabulary; no number is made up. Ranks beyond the list are 0.
 * @param prefix tokens up to and with the row's position
 * @throws E_SERVER_PROBABILITIES, E_METHOD_UNSUPPORTED, and as `ServerConnection`
 */
export async function readRow(
  server: ServerConnection,
  prefix: Int32Array,
  read: RowRead,
  signal: AbortSignal,
): Promise<RowResult> {
  const { position, ids, top = 0, entropy, reference, weights } = read;
  if (entropy !== undefined || reference !== undefined || weights !== undefined) {
    return summariseRow(await wholeRow(server, prefix, signal), read);
  }
  const listed = top > 0 ? (await server.nextTokens(prefix, top, signal)).top.slice(0, top) : [];
  const logits = new Float32Array(ids.length);
  const ranks = new Int32Array(ids.length);
  for (const [index, id] of ids.entries()) {
    const place = listed.findIndex((token) => token.id === id);
    ranks[index] = place + 1;
    logits[index] =
      listed[place]?.logprob ?? (await server.logprobOf(prefix, id, signal)) ?? (await fromWhole(server, prefix, id, signal));
  }
  return { position, logSumExp: 0, logits, ranks, top: listed.map(({ id, logprob }) => ({ id, logit: logprob })) };
}

/** [V] log-probabilities. @throws E_METHOD_UNSUPPORTED when the server lists fewer */
export async function wholeRow(server: ServerConnection, prefix: Int32Array, signal: AbortSignal): Promise<Float32Array> {
  const { vocabulary } = server.info;
  const listed = await listAll(server, prefix, signal);
  if (listed.length !== vocabulary) {
    throw methodUnsupported(
      'whole rows of predictions',
      `all ${vocabulary} tokens, and the server lists ${listed.length}`,
      withoutRows,
    );
  }
  const row = new Float32Array(vocabulary);
  for (const { id, logprob } of listed) row[id] = logprob;
  return row;
}

async function fromWhole(server: ServerConnection, prefix: Int32Array, id: number, signal: AbortSignal): Promise<number> {
  const found = (await listAll(server, prefix, signal)).find((token) => token.id === id);
  if (found !== undefined) return found.logprob;
  throw serverProbabilities(server.info.file, `the token ${id} is not among those it lists`);
}

async function listAll(server: ServerConnection, prefix: Int32Array, signal: AbortSignal): Promise<readonly ListedToken[]> {
  return (await server.nextTokens(prefix, server.info.vocabulary, signal)).top;
}
