import { basename } from 'node:path';
import type { Tokenized } from '../../model/model.ts';
import { templateMissing } from '../../shared/errorCatalog.ts';
import { tokenizerMissing } from '../../shared/modelFolderErrors.ts';
import type { OnnxTokenizer } from './onnxTokenizer.ts';
import type { ModelFolder } from '../folder/modelFolder.ts';

/** For a model without a vocabulary: ids are shown, and read, as `<17>`; other text cannot be read. */
export function createIdTokenizer({ onnxFile, configuration }: Pick<ModelFolder, 'onnxFile' | 'configuration'>): OnnxTokenizer {
  const name = basename(onnxFile);
  const pieces = (ids: readonly number[]) => ids.map((id) => `<${id}>`);
  const control = new Set<number | null>([configuration.bos, ...configuration.eos]);
  return {
    /** @throws E_TOKENIZER_MISSING */
    async encode(text): Promise<Tokenized> {
      if (!/^(?:\s*<\d{1,10}>)*\s*$/u.test(text)) throw tokenizerMissing(name);
      const tokens = [...text.matchAll(/<(\d+)>/gu)].map(({ 0: piece, 1: digits, index: start }) => {
        const id = Number(digits);
        return { id, text: piece, start, end: start + piece.length, special: control.has(id) };
      });
      return { tokens, approximateOffsets: false };
    },
    async decode(ids) {
      return pieces(ids).join('');
    },
    piece: (id) => new TextEncoder().encode(`<${id}>`),
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
