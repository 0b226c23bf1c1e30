import { existsSync } from 'node:fs';
import path from 'node:path';

interface OnnxFile {
  readonly file: string;
  readonly label: 'fp32' | 'int4';
}

/**
 * The export that PROMPT_LOUPE_ONNX names. It is no part of the repository: `scripts/goldens/export_smollm2.py OUT int4 cache` makes it, and
 * OUT is the folder to name. Empty when there is none.
 */
export function onnxFiles(): OnnxFile[] {
  const folder = process.env['PROMPT_LOUPE_ONNX'] ?? '';
  if (folder === '') return [];
  const files: OnnxFile[] = [
    { file: path.join(folder, 'model.onnx'), label: 'fp32' },
    { file: path.join(folder, 'model_q4.onnx'), label: 'int4' },
  ];
  return files.filter(({ file }) => existsSync(file));
}

export const noExport = { quantity: 'not run: PROMPT_LOUPE_ONNX names no export', value: 0, unit: '' } as const;
