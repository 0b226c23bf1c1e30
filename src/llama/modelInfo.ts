/** What a GGUF file says about its model, in the words of the Model interface. */
import path from 'node:path';
import type { ModelInfo } from '../model/model.ts';
import { type GgufHeader, metadataInteger, metadataString } from './gguf/ggufHeader.ts';
import type { NativeModel } from './native/nativeModel.ts';

/** Longest context taken unasked: its cache must fit an ordinary machine. */
const defaultContextLength = 4096;

export interface ModelFacts {
  readonly file: string;
  readonly sha256: string;
  readonly header: GgufHeader;
  readonly native: NativeModel;
  /** Asked for; 0 = as long as the model was trained for, at most 4,096 tokens. */
  readonly contextLength: number;
}

/** What is known before the graph was looked at. */
export type ModelDescription = Omit<ModelInfo, 'can' | 'notes'>;

export function describeModel({ file, sha256, header, native, contextLength }: ModelFacts): ModelDescription {
  const { functions, model } = native;
  const architecture = architectureOf(header);
  const hidden = functions.llama_model_n_embd(model);
  const heads = functions.llama_model_n_head(model);
  const trained = functions.llama_model_n_ctx_train(model);
  return {
    name: modelName(file, header),
    file,
    sha256,
    format: 'gguf',
    architecture,
    quantization: quantizationName(functions.llama_ftype_name(functions.llama_model_ftype(model))),
    precision: 'as-served',
    layers: functions.llama_model_n_layer(model),
    heads,
    kvHeads: functions.llama_model_n_head_kv(model),
    hidden,
    headSize: metadataInteger(header, `${architecture}.attention.value_length`) ?? (heads > 0 ? Math.floor(hidden / heads) : 0),
    neurons: metadataInteger(header, `${architecture}.feed_forward_length`) ?? 0,
    vocabulary: native.vocabularySize,
    contextLength: usableContext(contextLength, trained),
    fileBytes: header.fileBytes,
    sharesBeginnings: true,
    sharesPatchedBeginnings: true,
    holdsBeginnings: true,
  };
}

/** The file's own name, which users know; `general.name` is often a training label. Stores that name files by digest have only that one. */
function modelName(file: string, header: GgufHeader): string {
  const base = path.basename(file).replace(/\.gguf$/i, '');
  return /^(sha256[-:])?[0-9a-f]{32,}$/i.test(base) ? (metadataString(header, 'general.name') ?? base) : base;
}

/** Never beyond what the model was trained for: learned position tables end there, and reading past one aborts the process. */
function usableContext(asked: number, trained: number): number {
  const length = asked > 0 ? asked : defaultContextLength;
  return trained > 0 ? Math.min(length, trained) : length;
}

export function architectureOf(header: GgufHeader): string {
  return metadataString(header, 'general.architecture') ?? 'unknown';
}

/** llama.cpp says `Q4_K - Medium`, `all F32`, `(guessed) Q4_1`; everybody else `Q4_K_M`, `F32`, `Q4_1`. */
export function quantizationName(ftypeName: string): string {
  const name = ftypeName.replace(/^\(?guessed\)?,?\s*/i, '').replace(/^all /, '');
  const [type = name, detail = ''] = name.split(' - ');
  const size = /^(Small|Medium|Large)$/.exec(detail);
  return size === null ? type : `${type}_${detail.charAt(0)}`;
}
