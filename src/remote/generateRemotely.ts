import type { CallOptions, GenerateRequest, GeneratedToken, Generation } from '../model/model.ts';
import { generateFrom, type NextToken } from '../model/runtime/generate.ts';
import { topLogits } from '../model/runtime/rowSummary.ts';
import { sampleToken } from '../model/runtime/sampleToken.ts';
import { wholeRow } from './readRow.ts';
import type { RemoteTokenizer } from './remoteTokenizer.ts';
import type { ServerConnection } from './serverProtocol.ts';

const encoder = new TextEncoder();

/**
 * Generates token by token: the server lists what may follow, the choice is made here, so that the same seed gives what the same
 * file gives when it is opened directly. Sampling needs the whole row of each step; greedy choice only its top.
 * @throws E_METHOD_UNSUPPORTED when sampling from a server that lists no whole rows; as `generateFrom` and `ServerConnection`
 */
export async function generateRemotely(
  server: ServerConnection,
  tokenizer: RemoteTokenizer,
  request: GenerateRequest,
  options: CallOptions & { readonly signal: AbortSignal; readonly onToken?: (token: GeneratedToken) => void },
): Promise<Generation> {
  const { signal } = options;
  const labels = new Map<number, string>();
  /** What the token just chosen adds, where its own bytes are not told. */
  let added: Uint8Array | null = null;
  /** Whether the tokens so far end in part of a character. */
  let isUnfinished = false;
  let sequence: number[] = [];

  const choose = async (
    prefix: Int32Array,
    random: () => number,
  ): Promise<Omit<NextToken, 'ends'> & { ends: boolean | null }> => {
    if (request.temperature <= 0) {
      const { top, ends } = await server.nextTokens(prefix, Math.max(1, request.top), signal);
      const [best = { id: 0, logprob: Number.NaN }] = top;
      return { ...best, alternatives: top.slice(0, request.top), ends };
    }
    const row = await wholeRow(server, prefix, signal);
    const id = sampleToken(row, request.temperature, random);
    const alternatives = topLogits(row, request.top).map((each) => ({ id: each.id, logprob: each.logit }));
    return { id, logprob: row[id] ?? Number.NaN, alternatives, ends: null };
  };

  return await generateFrom(
    request,
    {
      contextLength: server.info.contextLength,
      vocabulary: {
        piece: (id) => added ?? server.bytesOf(id) ?? encoder.encode(labels.get(id) ?? ''),
        label: (id) => labels.get(id) ?? '',
      },
      async next(tokens, position, random) {
        sequence = [...sequence.slice(0, position), ...tokens];
        const prefix = Int32Array.from(sequence);
        const chosen = await choose(prefix, random);
        const ends = chosen.ends ?? (await server.ends(prefix, chosen.id, signal));
        const ids = [chosen.id, ...chosen.alternatives.map(({ id }) => id)];
        const texts = await tokenizer.labels(ids, signal);
        for (const [index, id] of ids.entries()) labels.set(id, texts[index] ?? '');
        const isWhole = server.bytesOf(chosen.id) !== undefined || labels.get(chosen.id)?.includes('\ufffd') !== true;
        added = null;
        if (!ends && (isUnfinished || !isWhole)) {
          const joined = await addedText(server, sequence.slice(request.tokens.length), chosen.id, signal);
          isUnfinished = joined.isUnfinished;
          added = encoder.encode(joined.text);
        }
        return { ...chosen, ends };
      },
    },
    options,
  );
}

/** A token that is part of a character adds the whole of it once it is there; what stays unfinished is left out. */
async function addedText(server: ServerConnection, before: readonly number[], id: number, signal: AbortSignal) {
  const finished = (text: string) => text.replace(/\ufffd+$/, '');
  const said = finished(await server.join(before, signal));
  const joined = await server.join([...before, id], signal);
  const whole = finished(joined);
  return { text: whole.startsWith(said) ? whole.slice(said.length) : '', isUnfinished: whole !== joined };
}
