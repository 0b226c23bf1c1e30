import type { EncodeOptions, Tokenizer } from '../../model/model.ts';
import { renderChatTemplate } from '../../model/chatTemplate/renderChatTemplate.ts';
import { promptInvalid } from '../../shared/errorCatalog.ts';
import { tokenizerUnsupported } from '../../shared/modelFolderErrors.ts';
import type { TextRange, Token } from '../../shared/tokens.ts';
import type { ModelFolder } from '../folder/modelFolder.ts';
import { readSmallFile } from '../folder/readSmallFile.ts';
import { createIdTokenizer } from './idTokenizer.ts';
import { createTextTokeniser } from './textTokeniser.ts';
import type { TextTokeniser } from './textTokeniser.ts';

/** The largest in use have about 35 MB. */
const maximumTokenizerBytes = 256_000_000;
const loneSurrogate = /\p{Surrogate}/u;

/**
 * The tokenizer of an ONNX model. Without a tokenizer.json it knows ids only.
 * @throws E_TOKENIZER_UNSUPPORTED, E_MODEL_FOLDER
 */
export async function openOnnxTokenizer(folder: ModelFolder): Promise<Tokenizer> {
  if (folder.tokenizerFile === null) return createIdTokenizer(folder);
  const text = await readSmallFile(folder.tokenizerFile, maximumTokenizerBytes);
  if (text === null) return createIdTokenizer(folder);
  return createOnnxTokenizer(createTextTokeniser(parseJson(text)), folder);
}

function createOnnxTokenizer(
  tokeniser: TextTokeniser,
  folder: Pick<ModelFolder, 'configuration' | 'chatTemplate' | 'bosToken' | 'eosToken'>,
): Tokenizer {
  const { configuration, chatTemplate, bosToken, eosToken } = folder;
  const { spelling, affixes } = tokeniser;
  const idOf = (text: string | null) => (text === null ? undefined : tokeniser.idOf(text));
  const bos = idOf(bosToken) ?? configuration.bos;
  const eos = idOf(eosToken) ?? configuration.eos[0] ?? null;
  const endOfGeneration = [...new Set([...configuration.eos, ...(eos === null ? [] : [eos])])].sort((a, b) => a - b);
  const textOf = (token: string | null, id: number | null) => token ?? (id === null ? '' : spelling.text(id));

  const token = (id: number, { start, end }: TextRange, special: boolean): Token => ({
    id,
    text: spelling.text(id),
    start,
    end,
    special,
  });

  return {
    async encode(text: string, options: EncodeOptions = {}) {
      const { parseSpecial = true, addSpecial = true } = options;
      const lone = loneSurrogate.exec(text);
      if (lone !== null) throw promptInvalid(lone.index);
      const { tokens, exact } = tokeniser.tokenise(text, parseSpecial);
      const written = tokens.map((each) => token(each.id, each, tokeniser.isSpecial(each.id)));
      const added = (place: number) => (id: number) => token(id, { start: place, end: place }, true);
      const all = addSpecial ? [...affixes.before.map(added(0)), ...written, ...affixes.after.map(added(text.length))] : written;
      return { tokens: all, approximateOffsets: !exact };
    },
    async decode(ids) {
      return spelling.decode(ids);
    },
    async pieces(ids) {
      return ids.map((id) => spelling.text(id));
    },
    async renderChat(messages, options) {
      return renderChatTemplate(chatTemplate, messages, {
        bosToken: textOf(bosToken, bos),
        eosToken: textOf(eosToken, eos),
        addGenerationPrompt: options?.addGenerationPrompt ?? true,
      });
    },
    async special() {
      return { bos, eos, endOfGeneration, chatTemplate };
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own message would quote the file.
    throw tokenizerUnsupported('it is not JSON');
  }
}
