/**
 * The map of what the editor (or the command line) can ask of the engine, and what the engine tells back.
 * Plain data and typed arrays only. The transport is `rpc.ts`; both ends are typed by this file.
 */
import type { Explanation } from '../explanation.ts';
import type { GraphSummary } from '../graphSummary.ts';
import type { ModelTask } from '../modelTask.ts';
import type { TargetSpec, ScoreKind } from '../target.ts';
import type { ToolDescription, ToolRequest, ToolResult } from './tools.ts';
import type { Granularity, SourceSegment, TextRange, Token } from '../tokens.ts';

export type EngineState = 'stopped' | 'starting' | 'ready' | 'busy' | 'failed';

export interface EngineStatus {
  readonly state: EngineState;
  readonly model: ModelSummary | null;
  /** Requests waiting behind the running one, oldest first. */
  readonly queue: readonly { readonly requestId: string; readonly title: string }[];
  readonly running: { readonly requestId: string; readonly title: string } | null;
}

export interface ModelSummary {
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  readonly format: 'gguf' | 'onnx' | 'remote';
  /** Absent: a language model. */
  readonly task?: ModelTask;
  readonly architecture: string;
  readonly quantization: string;
  readonly precision: 'as-served' | 'dequantised';
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly hidden: number;
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly fileBytes: number;
  /** Whether beginnings that prompts share are computed once; costs count by it. */
  readonly sharesBeginnings: boolean;
  readonly hasChatTemplate: boolean;
  /** Whether gradients can be taken; on GGUF, one through an operator without a rule is still refused. */
  readonly hasGradients: boolean;
  /** What requests this model can serve; `language`: it predicts tokens. */
  readonly can: { readonly capture: boolean; readonly patch: boolean; readonly gradient: boolean; readonly language: boolean };
  readonly notes: readonly string[];
  /** What computes it, where that is not the processor. */
  readonly provider?: string;
  /** How the graph of an ONNX file was read. */
  readonly graph?: GraphSummary;
}

/** Where a model was found; `server`: the editor remembers it. */
export type ModelSource = 'bundled' | 'folder' | 'ollama' | 'lm-studio' | 'hugging-face' | 'server';

export interface FoundModel {
  readonly name: string;
  /** A path, or the address of a server. */
  readonly file: string;
  /** 0: a server, which does not tell. */
  readonly bytes: number;
  readonly source: ModelSource;
}

export interface LoadOptions {
  /** Native threads; 0 = all physical cores but one. */
  readonly threads: number;
  /** Tokens; 0 = as much as the model was trained for, at most 4,096. */
  readonly contextLength: number;
  /** Bytes a gradient may take beside the model; 0 or absent = half of the free memory. Longer prompts are recomputed in segments. */
  readonly gradientBytes?: number;
  /** Bytes of dequantised weights kept between gradients; absent = a quarter of the free memory; 0 = none. */
  readonly weightBytes?: number;
  /** What ONNX Runtime computes ONNX models on, by its own name (`webgpu`, `cuda`, …); absent = `cpu`. Other kinds of model take no notice: the editor has one setting for all. */
  readonly provider?: string;
  /** For a model on a server that wants one. Never logged, never part of a result. */
  readonly apiKey?: string;
}

export type PromptFormat = 'text' | 'markdown' | 'prompt-yml' | 'messages-json';
export type PromptMode = 'auto' | 'raw' | 'chat';

/** A prompt as it stands in a document. */
export interface PromptSource {
  readonly text: string;
  readonly uri?: string;
  readonly format: PromptFormat;
  /** Explain only this part (offsets into `text`). */
  readonly selection?: TextRange;
  /** `auto`: chat for formats with messages, raw for text. */
  readonly mode: PromptMode;
  /** Values for `{{variables}}` that the document does not give. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Token ids as they are; `text` is then empty. */
  readonly ids?: readonly number[];
}

export interface ExplainRequest {
  readonly prompt: PromptSource;
  readonly method: string;
  /** Nobody chose `method`: another takes its place, with a warning, where the model cannot run it. */
  readonly mayFallBack?: boolean;
  readonly parameters?: Readonly<Record<string, string | number | boolean>>;
  readonly target: TargetSpec;
  readonly score?: ScoreKind;
  readonly granularity: Granularity;
  /** Response tokens generated before explaining. */
  readonly maxTokens: number;
  /** A response the user gives instead of a generated one. */
  readonly response?: string;
  readonly seed: number;
  /** Tint first from attention, then sections, then units (editor); off for the command line. */
  readonly progressive: boolean;
  /** Ids of methods whose conditions the user agreed to (`MethodDescription.optIn`). */
  readonly agreed?: readonly string[];
  /** How far the scores are checked on this prompt: within what the explanation cost (default, and `true`), in full, or not. */
  readonly faithfulness?: boolean | 'cheap' | 'full';
  /** Of the full check only these measures (docs/faithfulness.md); default all. */
  readonly measures?: readonly string[];
}

/** What the user is told of a method before it runs. */
export interface MethodDescription {
  readonly id: string;
  readonly family: string;
  readonly label: string;
  /** One line: what this assumes. */
  readonly assumption: string;
  /** Forward passes it takes for the asked number of units, about. */
  readonly forwardPasses: number;
  readonly parameters: readonly MethodParameter[];
  /** What the user must agree to before it runs; absent: nothing. */
  readonly optIn?: string;
  /** False: the loaded model cannot run it. */
  readonly available: boolean;
}

export interface MethodParameter {
  readonly id: string;
  readonly label: string;
  readonly default: string | number | boolean;
  /** Allowed values of a choice. */
  readonly choices?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  /** Only whole numbers. */
  readonly whole?: true;
}

/** A token the model could write at some place. */
export interface RankedToken {
  readonly id: number;
  readonly text: string;
  /** Nats, under the unscaled distribution (temperature 1). */
  readonly logprob: number;
}

/** A token of a response, and what could have stood there. */
interface ResponseToken extends RankedToken {
  readonly alternatives: readonly RankedToken[];
}

export interface LogprobsRequest {
  readonly prompt: PromptSource;
  readonly top: number;
}

export interface LogprobsResult {
  readonly tokens: readonly (Token & {
    /** Nats given the tokens before; null for the first token when nothing precedes it. */
    readonly logprob: number | null;
    readonly rank: number | null;
    readonly top: readonly RankedToken[];
  })[];
  readonly next: { readonly top: readonly RankedToken[] };
}

export interface GenerateTextRequest {
  readonly prompt: PromptSource;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly seed: number;
  readonly top: number;
}

export interface GenerateTextResult {
  readonly text: string;
  readonly finish: 'length' | 'stop' | 'context';
  readonly tokens: readonly ResponseToken[];
}

/** The number whose gradient weights the attention: weighted = attention × d target / d attention, signed, in the target's unit. */
export interface AttentionWeighting {
  readonly target: TargetSpec;
  readonly score?: ScoreKind;
  /** Response tokens generated first, where the target needs a response. */
  readonly maxTokens: number;
  readonly response?: string;
  readonly seed: number;
}

export interface AttentionGridRequest {
  readonly prompt: PromptSource;
  /** Absent: plain attention. */
  readonly weighting?: AttentionWeighting;
  /** Side of one thumbnail; a head is max-pooled to at most size × size. */
  readonly size: number;
}

export interface AttentionGrid {
  /** The prompt's; weighted, then those of the response that the target stands on, empty ranges at the end of the prompt's text. */
  readonly tokens: readonly Token[];
  readonly sourceMap: readonly SourceSegment[];
  readonly layers: number;
  readonly heads: number;
  readonly size: number;
  /** [layers, heads, size, size]; weighted: of each block the value of largest magnitude, signed */
  readonly thumbnails: Float32Array;
  /** What the target is called, and its unit, where the attention is weighted by its gradient. */
  readonly weightedBy?: { readonly label: string; readonly unit: string };
}

export interface AttentionHeadRequest {
  readonly prompt: PromptSource;
  readonly weighting?: AttentionWeighting;
  readonly layer: number;
  readonly head: number;
}

export interface AttentionHead {
  /** As in {@link AttentionGrid}. */
  readonly tokens: readonly Token[];
  readonly sourceMap: readonly SourceSegment[];
  readonly layer: number;
  readonly head: number;
  /** [query, key] */
  readonly shape: readonly [number, number];
  readonly values: Float32Array;
  readonly weightedBy?: { readonly label: string; readonly unit: string };
}

export interface CaptureToFileRequest {
  readonly prompt: PromptSource;
  /** Site kinds or full names: `resid_post`, `pattern.3`, `logits`. */
  readonly sites: readonly string[];
  /** Layers for site kinds given without one; empty = all. */
  readonly layers: readonly number[];
  /** Also write `grad.<name>`: the derivative of this target at every site. */
  readonly gradients?: {
    readonly target: TargetSpec;
    readonly score?: ScoreKind;
    readonly maxTokens: number;
    readonly response?: string;
    readonly seed: number;
    readonly precision: 'as-served' | 'dequantised';
  };
  /** Where the safetensors file is written (atomically: a temporary file beside it, then a rename). */
  readonly out: string;
}

export interface CaptureToFileResult {
  readonly out: string;
  readonly bytes: number;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

export type ExportFormat = 'json' | 'html' | 'svg' | 'csv';

/** Writes a finished explanation as a self-contained file; needs no model. */
export interface ExportRequest {
  readonly explanation: Explanation;
  readonly format: ExportFormat;
  /** Where the file is written (atomically: a temporary file beside it, then a rename). */
  readonly out: string;
}

export interface ExportResult {
  readonly out: string;
  readonly bytes: number;
}

/** Every method takes a request id, by which it can be cancelled and its progress told apart. */
export interface EngineMethods {
  load(file: string, options: LoadOptions): ModelSummary;
  unload(): void;
  status(): EngineStatus;
  inspect(file: string, options?: Pick<LoadOptions, 'apiKey'>): ModelSummary;
  listModels(folders: readonly string[]): FoundModel[];
  /** Every attribution method, in the picker's order; `units`: how many units the cost is told for. Needs no model. */
  methods(units: number): MethodDescription[];
  explain(request: ExplainRequest): Explanation;
  logprobs(request: LogprobsRequest): LogprobsResult;
  generate(request: GenerateTextRequest): GenerateTextResult;
  attentionGrid(request: AttentionGridRequest): AttentionGrid;
  attentionHead(request: AttentionHeadRequest): AttentionHead;
  capture(request: CaptureToFileRequest): CaptureToFileResult;
  /** Every tool that looks inside the model, in the picker's order. Needs no model. */
  tools(): ToolDescription[];
  tool(request: ToolRequest): ToolResult;
  export(request: ExportRequest): ExportResult;
}

export interface Progress {
  readonly requestId: string;
  /** Short, for a status bar: "loading", "generating", "occlusion", "gradient (0.6 GB)". */
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  /** One line for a log or a terminal: what this phase will need, and how it works. */
  readonly detail?: string;
}

/** How far a partial explanation has come: first attention, then exact scores for sections, then for units as they arrive. */
export type PartialStage = 'attention' | 'sections' | 'units';

export interface PartialExplanation {
  readonly requestId: string;
  readonly stage: PartialStage;
  /** Units not yet scored by the asked method keep the score of the stage before. `method.id` is the method that gave most of them. */
  readonly explanation: Explanation;
}

/** What the engine tells without being asked. */
export interface EngineEvents {
  progress(progress: Progress): void;
  partial(partial: PartialExplanation): void;
  /** A generated token, as it appears. */
  token(event: { readonly requestId: string; readonly text: string }): void;
  status(status: EngineStatus): void;
}
