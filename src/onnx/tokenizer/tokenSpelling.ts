import { byteOf } from '../../model/runtime/byteCharacters.ts';
import type { VocabularyModel } from './model/vocabularyModel.ts';
import type { TokenizerFile } from './tokenizerFile.ts';

/** How a vocabulary's tokens read as text: `Ġthe` is ` the` in one, `▁the` in another, `##ing` stays in a third. */
export interface TokenSpelling {
  /** What a token adds to a text; part of a character is part of its bytes. */
  bytes(id: number): Uint8Array;
  /** One token as a reader knows it; part of a character shows as U+FFFD, a number without a token as nothing. */
  text(id: number): string;
  /** Tokens one after another, as text; spaces that the tokeniser inserted are kept. */
  decode(ids: readonly number[]): string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const nothing = new Uint8Array(0);

export function createTokenSpelling(file: TokenizerFile, model: VocabularyModel): TokenSpelling {
  const added = new Map(file.added_tokens.map((token) => [token.id, token]));
  const spelled = new Array<string | undefined>(model.ids.size);
  for (const [token, id] of model.ids) spelled[id] = token;
  const byteLevel = mentions(file.pre_tokenizer, 'ByteLevel') || mentions(file.normalizer, 'ByteLevel');
  const suffix = file.model.type === 'BPE' ? (file.model.end_of_word_suffix ?? '') : '';

  const bytes = (id: number): Uint8Array => {
    const written = added.get(id);
    // Gemma adds runs of ▁ as tokens; in the name of a control token ▁ is itself.
    if (written?.special === false && model.kind !== 'wordpiece' && !byteLevel)
      return encoder.encode(written.content.replaceAll('▁', ' '));
    if (written !== undefined) return encoder.encode(written.content);
    const token = spelled[id];
    if (token === undefined) return nothing;
    const word = suffix !== '' && token.endsWith(suffix) ? `${token.slice(0, -suffix.length)}${byteLevel ? 'Ġ' : ' '}` : token;
    if (byteLevel) return spelledBytes(word);
    const byte = model.byteFallback ? /^<0x([0-9A-F]{2})>$/.exec(word)?.[1] : undefined;
    if (byte !== undefined) return Uint8Array.of(parseInt(byte, 16));
    return encoder.encode(model.kind === 'wordpiece' ? word : word.replaceAll('▁', ' '));
  };
  const text = (id: number) => decoder.decode(bytes(id));
  const decode = (ids: readonly number[]) =>
    model.kind === 'wordpiece' ? joinPieces(ids.map(text)) : decoder.decode(concatenate(ids.map(bytes)));
  const joinPieces = (pieces: readonly string[]) => {
    const prefix = file.model.type === 'WordPiece' ? file.model.continuing_subword_prefix : '';
    return pieces
      .map((piece, index) =>
        prefix !== '' && piece.startsWith(prefix) ? piece.slice(prefix.length) : index === 0 ? piece : ` ${piece}`,
      )
      .join('');
  };
  return { bytes, text, decode };
}

/** A character that spells no byte stands for itself. */
function spelledBytes(token: string): Uint8Array {
  return concatenate(
    Array.from(token, (character) => {
      const byte = byteOf(character);
      return byte === undefined ? encoder.encode(character) : Uint8Array.of(byte);
    }),
  );
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    joined.set(part, position);
    position += part.length;
  }
  return joined;
}

/** Is there a step of that type in a normaliser or pre-tokeniser? */
function mentions(step: TokenizerFile['pre_tokenizer'] | TokenizerFile['normalizer'], type: string): boolean {
  if (step === null) return false;
  if (step.type !== 'Sequence') return step.type === type;
  return ('pretokenizers' in step ? step.pretokenizers : step.normalizers).some((each) => mentions(each, type));
}
