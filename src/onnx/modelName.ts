import { basename, dirname } from 'node:path';

/** Most ONNX models are called `model`: the folder has the name, and the file tells which of several it is. */
export function modelName(file: string): string {
  const name = basename(file).replace(/\.onnx$/i, '');
  if (!/^(decoder_)?model(_\w+)?$/i.test(name)) return name;
  const folder = dirname(file);
  const owner = basename(basename(folder) === 'onnx' ? dirname(folder) : folder);
  const kind = name.replace(/^(decoder_)?model_?/i, '');
  return kind === '' ? owner : `${owner} ${kind}`;
}
