/** Opens an ONNX model: finds what belongs to it, opens up its graph, and recognises its parts. */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ModelInfo } from '../model/model.ts';
import { Cancellation } from '../model/runtime/cancellation.ts';
import { defaultThreads } from '../model/runtime/defaultThreads.ts';
import { fileDigest } from '../model/runtime/fileDigest.ts';
import { abilities, limitNotes } from './abilities.ts';
import type { OnnxEvaluator } from './evaluation/evaluator.ts';
import { selectRows } from './evaluation/selectRows.ts';
import { SessionCache } from './evaluation/sessionCache.ts';
import { type ModelFolder, readModelFolder } from './folder/modelFolder.ts';
import { intAttribute, type OnnxGraph } from './graph/graph.ts';
import { keyValueGraph } from './keptTokens/keyValueGraph.ts';
import { KeyValueReader } from './keptTokens/keyValueReader.ts';
import { provesSharing } from './keptTokens/provesSharing.ts';
import { modelName } from './modelName.ts';
import { gradientObstacles } from './gradient/gradientObstacles.ts';
import { graphSummary } from './graphSummary.ts';
import { prepareGraph, type PreparedGraph } from './lowering/prepareGraph.ts';
import { OnnxModel } from './onnxModel.ts';
import { readGraph } from './proto/readGraph.ts';
import { cpuProvider, proveProvider } from './runtime/provider.ts';
import type { FeedOptions } from './runtime/feeds.ts';
import { siteTable } from './sites/siteTable.ts';
import { brokenQuantization } from './structure/brokenQuantization.ts';
import { promptShapes } from './structure/promptShapes.ts';
import { recognise, type Structure } from './structure/recognise.ts';
import { poolEmbedding } from './evaluation/poolEmbedding.ts';
import { taskOf } from './taskOf.ts';
import { onnxUnsupported } from '../shared/onnxErrors.ts';
import { openOnnxTokenizer } from './tokenizer/onnxTokenizer.ts';

export interface OpenOnnxOptions {
  /** Native threads; 0 = the number of physical cores but one. */
  readonly threads: number;
  /** Tokens; 0 = as many as the model was trained for, at most 4,096. */
  readonly contextLength: number;
  /** Bytes a gradient may take beside the model; 0 or absent = half of the free memory. */
  readonly gradientBytes?: number;
  /** Bytes of unpacked weights kept between gradients; absent = a quarter of the free memory. */
  readonly weightBytes?: number;
  /** What its passes are computed on, by ONNX Runtime's name; absent = `cpu`. Reading and recognising the file stay on the processor. */
  readonly provider?: string;
  /** One Int32 in shared memory; any other value than 0 stops before the next pass. */
  readonly cancelFlag?: Int32Array;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Longest context taken unasked. */
const defaultContextLength = 4096;
/** Below this, prepared sessions are small enough to keep several. */
const smallFileBytes = 64 * 1024 * 1024;

/**
 * @param path an .onnx file, or a folder with one
 * @throws E_MODEL_NOT_FOUND, E_MODEL_UNREADABLE, E_MODEL_FOLDER, E_ONNX_CORRUPT, E_ONNX_UNSUPPORTED, E_ONNX_EXTERNAL_DATA,
 * E_ONNX_RUNTIME_MISSING, E_ONNX_RUNTIME, E_ONNX_PROVIDER, E_TOKENIZER_UNSUPPORTED, E_CANCELLED
 */
export async function openOnnxModel(path: string, options: OpenOnnxOptions): Promise<OnnxModel> {
  const cancellation = new Cancellation(options.cancelFlag, undefined);
  const report = (done: number) => options.onProgress?.(done, 1);
  const folder = await readModelFolder(path);
  const { onnxFile } = folder;
  const sha256 = await fileDigest(onnxFile, () => cancellation.check());
  report(0.2);
  const threads = options.threads > 0 ? options.threads : defaultThreads();
  const { headSize } = folder.configuration;
  const sizes = headSize === undefined ? {} : { headSize };
  cancellation.check();
  const { provider = cpuProvider } = options;
  await proveProvider(provider);
  const prepared = await prepareGraph(onnxFile, { precision: 'asServed', threads, ...sizes });
  report(0.8);
  cancellation.check();
  const structure = known(recognise(prepared.graph, prepared.probe), onnxFile);
  const broken = await brokenQuantization(prepared.graph, threads);
  const tokenizer = await openOnnxTokenizer(folder);
  const fileBytes = totalBytes(prepared.graph, onnxFile);
  const feedOptions = { ...sizes, model: basename(onnxFile) };
  const keyValues =
    structure.kind === 'causal-lm' && prepared.source.takesKeyValues
      ? keyValueGraph(readGraph(onnxFile), structure.output, structure.finalNorm)
      : null;
  const info = describe({
    folder,
    sha256,
    structure,
    prepared,
    broken,
    fileBytes,
    contextLength: options.contextLength,
    provider,
    sharesBeginnings:
      keyValues !== null && provider === cpuProvider && (await provesSharing(keyValues, { ...feedOptions, threads })),
  });
  const evaluatorOf = (graph: PreparedGraph, found: KnownStructure) =>
    createEvaluator({ info, prepared: graph, structure: found, feedOptions, threads, provider });
  const evaluator = evaluatorOf(prepared, structure);
  let dequantised: Promise<OnnxEvaluator> | null = null;
  const { endOfGeneration } = await tokenizer.special();
  report(1);
  return new OnnxModel({
    evaluator,
    tokenizer,
    endOfGeneration: new Set(endOfGeneration),
    reader: keyValues === null ? null : new KeyValueReader(keyValues, evaluator),
    cancelFlag: options.cancelFlag,
    gradients: {
      gradientBytes: options.gradientBytes ?? 0,
      weightBytes: options.weightBytes,
      sessions: fileBytes < smallFileBytes ? 8 : 1,
      dequantised: () =>
        (dequantised ??= quantisesActivations(prepared.graph)
          ? prepareGraph(onnxFile, { precision: 'exact', threads, ...sizes }).then((exact) =>
              evaluatorOf(exact, known(recognise(exact.graph, exact.probe), onnxFile)),
            )
          : Promise.resolve(evaluator)),
    },
  });
}

/** With both ends, so that there is something to run. */
type KnownStructure = Structure & { readonly output: string; readonly hidden: number };

/** @throws E_ONNX_UNSUPPORTED for a graph that reads no tokens or answers nothing that can be used */
function known(structure: Structure, file: string): KnownStructure {
  const { kind, output, hidden, notes } = structure;
  if (output === null || hidden === null || kind === 'unknown') {
    throw onnxUnsupported(basename(file), notes[0] ?? 'it is no language model, no classifier and no sentence encoder');
  }
  return { ...structure, output, hidden };
}

interface Evaluated {
  readonly info: ModelInfo;
  readonly prepared: PreparedGraph;
  readonly structure: KnownStructure;
  readonly feedOptions: FeedOptions;
  readonly threads: number;
  readonly provider: string;
}

function createEvaluator({ info, prepared, structure, feedOptions, threads, provider }: Evaluated): OnnxEvaluator {
  const { graph } = prepared;
  const { output: logits, probe } =
    structure.kind === 'sentence-encoder'
      ? poolEmbedding(graph, prepared.probe, structure)
      : { output: structure.output, probe: prepared.probe };
  const rowTensors =
    structure.kind === 'causal-lm' && structure.finalNorm !== null ? selectRows(graph, structure.finalNorm, logits) : null;
  const { inputs, known } = promptShapes(graph, probe);
  graph.inputs = [...inputs];
  return {
    info,
    graph,
    known,
    logits,
    selectsRows: rowTensors !== null,
    rowTensors: rowTensors ?? new Map(),
    sequences: probe.facts(logits)?.dims[0].at(0) ?? 1,
    width: probe.facts(logits)?.dims[0].at(-1) ?? info.vocabulary,
    probe,
    readsLeftToRight: structure.kind === 'causal-lm' && !graph.nodes.some(({ op }) => op === 'DynamicQuantizeLinear'),
    sites: siteTable(structure, probe),
    sessions: new SessionCache(info.fileBytes < smallFileBytes ? 8 : 2),
    feedOptions,
    sessionOptions: { threads, providers: [provider] },
  };
}

interface Described {
  readonly prepared: PreparedGraph;
  /** Why its quantised products are wrong on this processor, or null. */
  readonly broken: string | null;
  readonly folder: ModelFolder;
  readonly sha256: string;
  readonly structure: KnownStructure;
  readonly fileBytes: number;
  readonly contextLength: number;
  readonly provider: string;
  readonly sharesBeginnings: boolean;
}

function describe({
  folder,
  sha256,
  structure,
  prepared,
  broken,
  fileBytes,
  contextLength,
  provider,
  sharesBeginnings,
}: Described): ModelInfo {
  const { graph, probe, source } = prepared;
  const { configuration, onnxFile } = folder;
  const asked = contextLength > 0 ? contextLength : defaultContextLength;
  const vocabulary = structure.vocabulary ?? configuration.vocabulary ?? 0;
  const task = taskOf(structure, probe, configuration);
  const sites = siteTable(structure, probe);
  const embed = sites.get('embed');
  const obstacles = embed === undefined ? [] : gradientObstacles(graph, probe, embed.tensor, structure.output);
  const chat = folder.chatTemplate !== null && folder.tokenizerFile !== null;
  return {
    name: modelName(onnxFile),
    file: onnxFile,
    sha256,
    format: 'onnx',
    ...(task === null ? {} : { task }),
    architecture: configuration.modelType ?? configuration.architecture,
    quantization: structure.quantization,
    precision: 'as-served',
    layers: structure.layers.length,
    heads: structure.heads ?? 0,
    kvHeads: structure.kvHeads ?? structure.heads ?? 0,
    hidden: structure.hidden,
    headSize: structure.headSize ?? 0,
    neurons: structure.neurons ?? 0,
    vocabulary,
    contextLength: Math.min(asked, configuration.contextLength || asked, structure.positions ?? asked),
    fileBytes,
    sharesBeginnings,
    sharesPatchedBeginnings: false,
    holdsBeginnings: false,
    can: abilities(sites, structure, { differentiable: obstacles.length === 0, chat }),
    notes: [
      ...(broken === null ? [] : [`Do not trust it here: ${broken}.`]),
      ...(provider === cpuProvider ? [] : [`Computed on ${provider}, whose numbers differ from those of the processor.`]),
      ...folder.notes,
      ...structure.notes,
      ...limitNotes(sites, structure.layers.length),
    ],
    ...(provider === cpuProvider ? {} : { provider }),
    graph: graphSummary(source, prepared, obstacles),
  };
}

/** Of the model and the files its weights are in. */
function totalBytes({ initializers, folder }: OnnxGraph, onnxFile: string): number {
  const files = new Set([basename(onnxFile)]);
  for (const { range } of initializers.values()) if (range !== null) files.add(range.file);
  return [...files].reduce((sum, file) => sum + (statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** Whether some product rounds its activations to 8 bits in a way that the exact form leaves out. */
function quantisesActivations({ nodes }: OnnxGraph): boolean {
  return nodes.some((node) => node.op === 'MatMulNBits' && intAttribute(node, 'accuracy_level', 0) > 1);
}
