import { basename } from 'node:path';
import type { Tokenized } from '../../model/model.ts';
import { templateMissing } from '../../shared/errorCatalog.ts';
import { tokenizerMissing } from '../../shared/modelFolderErrors.ts';
import type { Token } from '../../shared/tokens.ts';
import type { OnnxTokenizer } from './onnxTokenizer.ts';
import type { ModelFolder } from '../folder/modelFolder.ts';

/** For a model without a vocabulary: ids are written as ` <17>`, so that each is a word, and no other text can be read. */
export function createIdTokenizer({ onnxFile, configuration }: Pick<ModelFolder, 'onnxFile' | 'configuration'>): OnnxTokenizer {
  const name = basename(onnxFile);
  const pieces = (ids: readonly number[]) => ids.map((id) => ` <${id}>`);
  const control = new Set<number | null>([configuration.bos, ...configuration.eos]);
  return {
    /** @throws E_TOKENIZER_MISSING for text that is no row of ids */
    async encode(text): Promise<Tokenized> {
      const tokens: Token[] = [];
      let start = 0;
      for (const { 0: piece, 1: digits, index } of text.matchAll(/\s*<(0|[1-9]\d{0,9})>/gu)) {
        if (index !== start) break;
        const id = Number(digits);
        tokens.push({ id, text: piece, start, end: start + piece.length, special: control.has(id) });
        start += piece.length;
      }
      if (text.slice(start).trim() !== '') throw tokenizerMissing(name);
      return { tokens, approximateOffsets: false };
    },
    async decode(ids) {
      return pieces(ids).join('');
    },
    piece: (id) => new TextEncoder().encode(` <${id}>`),
    async pieces(ids) {
      return pieces(ids);
    },
    /** @throws E_TEMPLATE_MISSING: what a template writes could not be read either */
    async renderChat() {
      throw templateMissing(name);
    },
    async special() {
      return {
        bos: configuration.bos,
        eos: configuration.eos[0] ?? null,
        endOfGeneration: configuration.eos,
        chatTemplate: null,
      };
    },
  };
}
