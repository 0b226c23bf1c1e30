/** User errors of the files that belong to an ONNX model. A code here has its row in docs/errors.md too. */
import { LoupeError } from './errors.ts';
import { nameOf } from './onnxErrors.ts';

export const tokenizerUnsupported = (why: string) =>
  new LoupeError({
    code: 'E_TOKENIZER_UNSUPPORTED',
    kind: 'model',
    what: "the model's tokenizer.json cannot be used",
    why,
    action: 'download the file again from where the model came from, or take it away and give the prompt as token ids',
  });

export const tokenizerMissing = (model: string) =>
  new LoupeError({
    code: 'E_TOKENIZER_MISSING',
    kind: 'model',
    what: `${model} has no vocabulary, so no text can be read`,
    why: 'there is no tokenizer.json beside the model or one folder up',
    action:
      "put the model's tokenizer.json into its folder, or give token ids: --ids 1,2,3, and <1><2> where a text is asked for",
    details: { model },
  });

export const neutralTokenUnknown = () =>
  new LoupeError({
    code: 'E_NEUTRAL_TOKEN',
    kind: 'input',
    what: 'no neutral token can be put where others stood',
    why: 'the model has no vocabulary (there is no tokenizer.json), so it is not known which of its ids says least',
    action:
      "choose another replacement (--method-option replacement=drop, or mask or corpus where the method has them), or put the model's tokenizer.json into its folder",
  });

export const modelFolder = (path: string, why: string) =>
  new LoupeError({
    code: 'E_MODEL_FOLDER',
    kind: 'model',
    what: `the ONNX model of ${nameOf(path)} cannot be found or its files do not fit`,
    why,
    action: 'name the .onnx file itself, or correct the file that is named',
    details: { path },
  });
