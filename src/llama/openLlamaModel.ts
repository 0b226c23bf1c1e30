/** Opens a GGUF file: checks it, digests it, loads it, and finds out what can be seen of its inside. */
import os from 'node:os';
import { resolve } from 'node:path';
import { Cancellation } from '../model/runtime/cancellation.ts';
import { ContextPool } from './evaluation/contextPool.ts';
import { fileDigest } from '../model/runtime/fileDigest.ts';
import { checkGgufFile } from './gguf/checkGgufFile.ts';
import { metadataInteger } from './gguf/ggufHeader.ts';
import type { GgufHeader } from './gguf/ggufHeader.ts';
import type { RuleTable } from './gradient/rules/rule.ts';
import { ruleTables } from './gradient/rules/ruleTables.ts';
import { surveyedTokens, surveyGraph } from './graph/graph.ts';
import { findRestartPoints } from './graph/restartPoints.ts';
import { findSites } from './graph/siteTable.ts';
import { LlamaModel } from './llamaModel.ts';
import { loadModel } from './loadModel.ts';
import { describeModel, type ModelDescription } from './modelInfo.ts';
import { abilities, canShorten, evaluationRefusal, limitNotes } from './modelLimits.ts';
import type { KernelLoader } from './native/kernel.ts';
import { loadLlamaLibrary } from './native/library.ts';
import type { NativeModel } from './native/nativeModel.ts';
import { defaultThreads } from '../model/runtime/defaultThreads.ts';
import { createTokenizer } from './tokenizer/llamaTokenizer.ts';
import { Vocabulary } from './tokenizer/vocabulary.ts';

export interface OpenLlamaOptions {
  /** Native threads; 0 = the number of physical cores. */
  readonly threads: number;
  /** Tokens; 0 = as many as the model was trained for, at most 4,096. */
  readonly contextLength: number;
  /** Bytes a gradient may take beside the model; 0 or absent = half of the free memory. */
  readonly gradientBytes?: number;
  /** Bytes of dequantised weights kept between gradients; absent = a quarter of the free memory. */
  readonly weightBytes?: number;
  /**
   * `ggml`: gradients on ggml's own operators only, for comparison. Default `auto`: our kernel where this processor has it.
   * A function: the kernel it gives, checked like any other.
   */
  readonly gradientKernel?: 'auto' | 'ggml' | KernelLoader;
  /** `plain`: the slow reference of the backward pass. Default `graph`. */
  readonly gradientExecutor?: 'graph' | 'plain';
  /** Operators exact gradients may flow through. Default: all that have a rule. */
  readonly gradientRules?: RuleTable;
  /** One Int32 in shared memory; any other value than 0 stops the running evaluation within one graph node. */
  readonly cancelFlag?: Int32Array;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Of the whole opening, how much reading the file for its digest counts. */
const digestShare = 0.5;

/**
 * @throws E_MODEL_NOT_FOUND, E_MODEL_UNREADABLE, E_MODEL_CORRUPT and the other codes of `checkGgufFile`;
 * E_MODEL_UNSUPPORTED, E_RUNTIME_MISSING, E_RUNTIME_MISMATCH, E_RUNTIME_BROKEN, E_OUT_OF_MEMORY, E_CANCELLED
 */
export async function openLlamaModel(path: string, options: OpenLlamaOptions): Promise<LlamaModel> {
  const file = resolve(path);
  const cancellation = new Cancellation(options.cancelFlag, undefined);
  const report = (fraction: number) => options.onProgress?.(fraction, 1);
  const header = await checkGgufFile(file);
  cancellation.check();
  const library = await loadLlamaLibrary();
  const sha256 = await fileDigest(file, (bytes) => {
    cancellation.check();
    report((digestShare * bytes) / header.fileBytes);
  });
  const native = loadModel(library, file, {
    shouldStop: cancellation.requested,
    onProgress: (fraction) => report(digestShare + (1 - digestShare) * fraction),
  });
  try {
    return assemble(native, { file, sha256, header, options });
  } catch (error) {
    native.functions.llama_model_free(native.model);
    throw error;
  }
}

interface Opened {
  readonly file: string;
  readonly sha256: string;
  readonly header: GgufHeader;
  readonly options: OpenLlamaOptions;
}

function assemble(native: NativeModel, { file, sha256, header, options }: Opened): LlamaModel {
  const vocabulary = new Vocabulary(native.functions, native.model);
  const description = describeModel({ file, sha256, header, native, contextLength: options.contextLength });
  const threads = options.threads > 0 ? options.threads : defaultThreads();
  const originalLength = metadataInteger(header, `${description.architecture}.rope.scaling.original_context_length`);
  const contexts = new ContextPool(native, {
    threads,
    limit: description.contextLength,
    trainedLength: originalLength ?? Number.POSITIVE_INFINITY,
    bytesPerToken: cacheBytesPerToken(description, header),
    memory: os.totalmem(),
  });
  const refusal = evaluationRefusal(native, header);
  const { layers } = description;
  try {
    const nodes = refusal === null ? surveyGraph(contexts.acquire(surveyedTokens), native.functions) : [];
    const sites = findSites(nodes, layers);
    const reuse = canShorten(native) ? 'unknown' : 'inexact';
    const info = {
      ...description,
      can: abilities(sites, layers, vocabulary.chatTemplate !== null),
      notes: limitNotes(refusal, sites, layers),
    };
    return new LlamaModel({
      evaluator: {
        info,
        native,
        contexts,
        sites,
        prefixReuse: reuse,
        restartPoints: findRestartPoints(nodes, sites, layers),
        layerReuse: reuse,
      },
      tokenizer: createTokenizer(vocabulary),
      vocabulary,
      refusal,
      cancelFlag: options.cancelFlag,
      gradients: {
        threads,
        gradientBytes: options.gradientBytes ?? 0,
        weightBytes: options.weightBytes,
        kernel: options.gradientKernel ?? 'auto',
        executor: options.gradientExecutor ?? 'graph',
        rules: { ...ruleTables, exact: options.gradientRules ?? ruleTables.exact },
      },
    });
  } catch (error) {
    contexts.free();
    throw error;
  }
}

/** Keys and values of all layers in F32. */
function cacheBytesPerToken({ architecture, layers, kvHeads, headSize }: ModelDescription, header: GgufHeader): number {
  const keySize = metadataInteger(header, `${architecture}.attention.key_length`) ?? headSize;
  return layers * kvHeads * (keySize + headSize) * 4;
}
