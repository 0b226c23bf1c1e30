import { runTool } from '../../src/engine/requests/tool.ts';
import type { Model } from '../../src/model/model.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import type { PromptFormat } from '../../src/shared/protocol/engine.ts';
import type { ToolParameters, ToolResult } from '../../src/shared/protocol/tools.ts';
import { recordRequest } from '../engine/requests/requestRecorder.ts';

export interface ToolRun {
  readonly text?: string;
  /** Default: text. */
  readonly format?: PromptFormat;
  /** Default: raw text as it stands. */
  readonly mode?: 'raw' | 'chat';
  readonly ids?: readonly number[];
  readonly parameters?: ToolParameters;
  readonly target?: TargetSpec;
  readonly score?: ScoreKind;
  readonly response?: string;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** A tool as the engine runs it, on a prompt stated by its text or its ids. */
export function toolOn(model: Model, tool: string, run: ToolRun): Promise<ToolResult> {
  const {
    text = '',
    ids,
    format = 'text',
    mode = 'raw',
    parameters = {},
    target = { kind: 'next' },
    seed = 1,
    score,
    response,
    signal,
  } = run;
  return runTool(recordRequest(model, signal), {
    tool,
    prompt: { text, format, mode, ...(ids === undefined ? {} : { ids }) },
    parameters,
    target,
    maxTokens: 4,
    seed,
    ...(score === undefined ? {} : { score }),
    ...(response === undefined ? {} : { response }),
  });
}
