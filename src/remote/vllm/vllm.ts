/** The protocol of vLLM: the OpenAI form of completions, with token ids, `prompt_logprobs` and the tokeniser beside it. */
import type { ModelInfo } from '../../model/model.ts';
import { serverPlainText, serverUnsupported } from '../../shared/serverErrors.ts';
import { checked } from '../checkedAnswer.ts';
import { bracketed } from '../controlToken.ts';
import type { Piece, ServerConnection, ServerProtocol, SplitOptions } from '../serverProtocol.ts';
import { serverNotes } from '../serverNotes.ts';
import { modelsSchema } from './answers.ts';
import { VllmCompletions } from './vllmCompletions.ts';
import { VllmTokens } from './vllmTokens.ts';

export const vllm: ServerProtocol = {
  id: 'vLLM',

  async connect(client, contextLength, signal): Promise<ServerConnection | null> {
    const listed = await client.ask({ path: '/v1/models', speed: 'quick', signal });
    if (listed === null) return null;
    // Adapters stand behind the model itself.
    const model = checked(client.address, modelsSchema, listed).data[0]?.id;
    if (model === undefined) throw serverUnsupported(client.address, 'it runs no model');
    const tokens = await VllmTokens.open(client, model, signal);
    const completions = new VllmCompletions(client, model, tokens.carrier);
    const vocabulary = (await completions.findLength(signal)) ?? (await tokens.countVocabulary(signal));
    completions.vocabulary = vocabulary;
    await completions.checkNumbers(signal);
    const chat = await tokens.canChat(signal);
    // Room for a token that is asked for, and for the one behind it.
    const held = tokens.held - 2;
    const info: ModelInfo = {
      name: model.replace(/^.*[\\/]/, '').slice(0, 200) || client.address,
      file: client.address,
      sha256: '',
      format: 'remote',
      architecture: 'unknown',
      quantization: 'unknown',
      precision: 'as-served',
      layers: 0,
      heads: 0,
      kvHeads: 0,
      hidden: 0,
      headSize: 0,
      neurons: 0,
      vocabulary,
      contextLength: contextLength > 0 ? Math.min(contextLength, held) : held,
      fileBytes: 0,
      // What prompt_logprobs are asked for is read whole.
      sharesBeginnings: false,
      sharesPatchedBeginnings: false,
      holdsBeginnings: false,
      can: { capture: false, patch: false, gradient: false, chat },
      notes: serverNotes(client.address),
    };
    const isControl = (id: number, _text: string, stop: AbortSignal) => completions.isControl(id, stop);

    /** The server always recognises control tokens in a text. */
    const split = async (text: string, { addSpecial, parseSpecial }: SplitOptions, stop: AbortSignal): Promise<Piece[]> => {
      const pieces = await tokens.split(text, addSpecial, stop);
      for (const { id, bytes } of parseSpecial || addSpecial ? [] : pieces) {
        const label = new TextDecoder().decode(bytes);
        if (bracketed.test(label) && (await isControl(id, label, stop))) throw serverPlainText(client.address, label);
      }
      return pieces;
    };

    return {
      info,
      bos: null,
      eos: null,
      // That it has one is known, its text is not.
      chatTemplate: chat ? '' : null,
      nextTokens: (prefix, count, stop) => completions.nextTokens(prefix, count, stop),
      logprobOf: (prefix, id, stop) => completions.logprobOf(prefix, id, stop),
      ends: (prefix, id, stop) => completions.ends(prefix, id, stop),
      bytesOf: () => undefined,
      isControl,
      split,
      join: (ids, stop) => tokens.join(ids, stop),
      renderChat: (messages, addGenerationPrompt, stop) => tokens.renderChat(messages, addGenerationPrompt, stop),
    };
  },
};
