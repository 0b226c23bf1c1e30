/** The protocol of llama.cpp's `llama-server`: its own endpoints, which take token ids and tell log-probabilities. */
import type { ModelInfo } from '../../model/model.ts';
import { templateFailed } from '../../shared/errorCatalog.ts';
import { LoupeError } from '../../shared/errors.ts';
import { serverUnsupported } from '../../shared/serverErrors.ts';
import { checked } from '../checkedAnswer.ts';
import type { HttpClient } from '../httpClient.ts';
import type { Piece, ServerConnection, ServerProtocol, SplitOptions } from '../serverProtocol.ts';
import { detokenizeSchema, modelsSchema, propsSchema, templateSchema, tokenizeSchema } from './answers.ts';
import { baseName, Completions } from './completions.ts';
import { serverNotes } from '../serverNotes.ts';

const encoder = new TextEncoder();

export const llamaServer: ServerProtocol = {
  id: 'llama-server',

  async connect(client, contextLength, signal): Promise<ServerConnection | null> {
    const answer = await client.ask({ path: '/props', speed: 'quick', signal });
    if (answer === null) return null;
    const props = checked(client.address, propsSchema, answer);
    const split = (text: string, options: SplitOptions, stop: AbortSignal) => tokenize(client, text, options, stop);
    const carrier = (await split('a', { addSpecial: false, parseSpecial: false }, signal)).at(-1);
    if (carrier === undefined) throw serverUnsupported(client.address, 'its model has no tokens for a text');
    const completions = new Completions(client, carrier.id);
    await completions.checkForcing(signal);
    const model = await modelOf(client, signal);
    const vocabulary = model?.vocabulary ?? (await completions.countVocabulary(signal));
    completions.vocabulary = vocabulary;
    // The server wants room for the token it predicts.
    const held = props.default_generation_settings.n_ctx - 1;
    const name = baseName(props.model_path === '' ? (props.model_alias ?? model?.id ?? '') : props.model_path);
    const info: ModelInfo = {
      name: name.replace(/\.gguf$/i, '') || client.address,
      file: client.address,
      sha256: '',
      format: 'remote',
      architecture: 'unknown',
      quantization: (props.model_ftype ?? 'unknown').slice(0, 60),
      precision: 'as-served',
      layers: 0,
      heads: 0,
      kvHeads: 0,
      hidden: model?.hidden ?? 0,
      headSize: 0,
      neurons: 0,
      vocabulary,
      contextLength: contextLength > 0 ? Math.min(contextLength, held) : held,
      fileBytes: model?.bytes ?? 0,
      // Rows are asked in prefix order, and the server keeps what it has just read.
      sharesBeginnings: true,
      sharesPatchedBeginnings: false,
      holdsBeginnings: true,
      can: { capture: false, patch: false, gradient: false, chat: props.chat_template !== '' },
      notes: serverNotes(client.address),
    };
    return {
      info,
      bos: props.bos_token || null,
      eos: props.eos_token || null,
      chatTemplate: props.chat_template || null,
      nextTokens: (prefix, count, stop) => completions.nextTokens(prefix, count, stop),
      logprobOf: (prefix, id, stop) => completions.logprobOf(prefix, id, stop),
      ends: (prefix, id, stop) => completions.ends(prefix, id, stop),
      bytesOf: (id) => completions.bytesOf(id),
      // A control token is one that its own text gives only where control tokens are recognised.
      isControl: async (id, text, stop) => {
        const parsed = await split(text, { addSpecial: false, parseSpecial: true }, stop);
        const unparsed = await split(text, { addSpecial: false, parseSpecial: false }, stop);
        return parsed.some((piece) => piece.id === id) && !unparsed.some((piece) => piece.id === id);
      },
      split,
      join: async (ids, stop) => {
        const body = { tokens: ids };
        return checked(
          client.address,
          detokenizeSchema,
          await client.ask({ path: '/detokenize', body, speed: 'quick', signal: stop }),
        ).content;
      },
      renderChat: async (messages, addGenerationPrompt, stop) => {
        const body = { messages, add_generation_prompt: addGenerationPrompt };
        try {
          const rendered = await client.ask({ path: '/apply-template', body, speed: 'quick', signal: stop });
          return checked(client.address, templateSchema, rendered).prompt;
        } catch (error) {
          if (error instanceof LoupeError && error.code === 'E_SERVER_REFUSED') throw templateFailed(error.parts.why);
          throw error;
        }
      },
    };
  },
};

async function tokenize(client: HttpClient, content: string, options: SplitOptions, signal: AbortSignal): Promise<Piece[]> {
  const body = { content, add_special: options.addSpecial, parse_special: options.parseSpecial, with_pieces: true };
  const answer = await client.ask({ path: '/tokenize', body, speed: 'quick', signal });
  return checked(client.address, tokenizeSchema, answer).tokens.map(({ id, piece }) => ({
    id,
    bytes: typeof piece === 'string' ? encoder.encode(piece) : Uint8Array.from(piece),
  }));
}

/** What the list of models tells beside the properties, or null where the server keeps none. */
async function modelOf(client: HttpClient, signal: AbortSignal) {
  const answer = await client.ask({ path: '/v1/models', speed: 'quick', signal });
  const model = answer === null ? undefined : checked(client.address, modelsSchema, answer).data[0];
  const { n_vocab: vocabulary, n_embd: hidden, size: bytes } = model?.meta ?? {};
  return model === undefined || vocabulary === undefined || vocabulary === 0 ? null : { id: model.id, vocabulary, hidden, bytes };
}
