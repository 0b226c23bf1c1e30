/** A tool as the engine runs it, without the engine's process around it. */
import { runTool } from '../../src/engine/requests/tool.ts';
import type { Model } from '../../src/model/model.ts';
import type { ToolRequest, ToolResult } from '../../src/shared/protocol/tools.ts';
import { recordRequest } from '../engine/requests/requestRecorder.ts';

export async function runToolHere(
  model: Model,
  tool: string,
  text: string,
  parameters: ToolRequest['parameters'] = {},
  rest: Partial<Omit<ToolRequest, 'tool' | 'parameters'>> = {},
  signal?: AbortSignal,
): Promise<ToolResult> {
  const prompt = { text, format: 'text', mode: 'raw' } as const;
  const request = { tool, prompt, parameters, target: { kind: 'next' }, maxTokens: 16, seed: 1, ...rest } as const;
  return await runTool(recordRequest(model, signal), request);
}
