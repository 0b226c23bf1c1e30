/** What the extension asks of the engine client, whatever the transport. `engine/` implements it. */
import type {
  AttentionGrid,
  AttentionGridRequest,
  AttentionHead,
  AttentionHeadRequest,
  EngineStatus,
  ExplainRequest,
  ExportRequest,
  ExportResult,
  FoundModel,
  LoadOptions,
  MethodDescription,
  ModelSummary,
  PartialExplanation,
  Progress,
} from '../shared/protocol/engine.ts';
import type { Explanation } from '../shared/explanation.ts';
import type { ToolDescription, ToolRequest, ToolResult } from '../shared/protocol/tools.ts';

export interface CallHooks {
  readonly signal?: AbortSignal;
  /** Shown in the queue. */
  readonly title?: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly onPartial?: (partial: PartialExplanation) => void;
}

/** Every call starts the engine when it is not running, and rejects with a LoupeError. */
export interface EngineService {
  /** Process id of the engine, undefined while it is stopped. */
  readonly pid: number | undefined;
  readonly status: EngineStatus;
  /** Returns a function that stops listening. */
  onStatus(listener: (status: EngineStatus) => void): () => void;
  load(file: string, options: LoadOptions, hooks?: CallHooks): Promise<ModelSummary>;
  inspect(file: string, hooks?: CallHooks): Promise<ModelSummary>;
  listModels(folders: readonly string[], hooks?: CallHooks): Promise<FoundModel[]>;
  /** Every attribution method, with its cost for so many units; which are available depends on the loaded model. */
  methods(units: number, hooks?: CallHooks): Promise<MethodDescription[]>;
  explain(request: ExplainRequest, hooks?: CallHooks): Promise<Explanation>;
  attentionGrid(request: AttentionGridRequest, hooks?: CallHooks): Promise<AttentionGrid>;
  attentionHead(request: AttentionHeadRequest, hooks?: CallHooks): Promise<AttentionHead>;
  /** Every tool that looks inside a model; which are available depends on the loaded model. */
  tools(hooks?: CallHooks): Promise<ToolDescription[]>;
  tool(request: ToolRequest, hooks?: CallHooks): Promise<ToolResult>;
  /** Writes a finished explanation to a file; needs no model. */
  export(request: ExportRequest, hooks?: CallHooks): Promise<ExportResult>;
  /** Ends the process and starts a new one with the same model; what was running rejects. */
  restart(): Promise<void>;
  dispose(): Promise<void>;
}
