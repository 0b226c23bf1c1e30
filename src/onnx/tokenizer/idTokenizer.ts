import { basename } from 'node:path';
import { templateMissing } from '../../shared/errorCatalog.ts';
import { tokenizerMissing } from '../../shared/modelFolderErrors.ts';
import type { OnnxTokenizer } from './onnxTokenizer.ts';
import type { ModelFolder } from '../folder/modelFolder.ts';

/** For a model without a vocabulary: ids are shown as `<17>`, and text cannot be read. */
export function createIdTokenizer({ onnxFile, configuration }: Pick<ModelFolder, 'onnxFile' | 'configuration'>): OnnxTokenizer {
  const name = basename(onnxFile);
  const pieces = (ids: readonly number[]) => ids.map((id) => `<${id}>`);
  return {
    /** @throws E_TOKENIZER_MISSING */
    async encode() {
      throw tokenizerMissing(name);
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
