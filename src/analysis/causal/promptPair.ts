/** A clean and a corrupted prompt, token by token beside each other. */
import { withContinuation } from '../../attribution/perturbation/evaluateSequences.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { LayerSite } from '../../model/sites.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { ToolContext, ToolPrompt } from '../tools/tool.ts';
import { type LayerActivations, layerActivations } from './activationRows.ts';

export interface PromptPair {
  readonly clean: ToolPrompt;
  readonly corrupt: ToolPrompt;
  readonly target: ResolvedTarget;
  /** With the target's continuation behind them. */
  readonly cleanTokens: Int32Array;
  readonly corruptTokens: Int32Array;
  /** At the asked sites. */
  readonly cleanActivations: ReadonlyMap<LayerSite, LayerActivations>;
  readonly corruptActivations: ReadonlyMap<LayerSite, LayerActivations>;
  /** The target on each, in its unit. */
  readonly cleanValue: number;
  readonly corruptValue: number;
  /** Positions whose tokens differ. */
  readonly differing: readonly number[];
}

/**
 * Two forward passes.
 * @param parameter id of the tool's parameter with the corrupted prompt
 * @throws E_TOOL_PARAMETER when the prompts have different lengths, are equal, or give the target the same value
 */
export async function readPromptPair(
  context: ToolContext,
  tool: string,
  parameter: string,
  kinds: readonly LayerSite[] = [],
): Promise<PromptPair> {
  const { model, prompt: clean, signal } = context;
  const corrupt = await context.readPrompt(String(context.parameters[parameter]));
  const refuse = (why: string, action: string) => toolParameter(tool, parameter, why, action);
  if (corrupt.ids.length !== clean.ids.length) {
    const at = clean.ids.findIndex((id, position) => id !== corrupt.ids[position]);
    const place = at < 0 ? Math.min(clean.ids.length, corrupt.ids.length) : at;
    throw refuse(
      `it has ${corrupt.ids.length} tokens and the clean prompt ${clean.ids.length}; they part at token ${place} (${JSON.stringify(clean.tokens[place]?.text ?? '')})`,
      'replace words by words of as many tokens, so that positions correspond',
    );
  }
  const differing = Array.from(clean.ids.keys()).filter((position) => clean.ids[position] !== corrupt.ids[position]);
  if (differing.length === 0) throw refuse('it is the clean prompt', 'change what the answer should depend on');
  const target = await context.target();
  const cleanTokens = withContinuation(clean.ids, target.continuation);
  const corruptTokens = withContinuation(corrupt.ids, target.continuation);
  const reads = target.reads(clean.ids.length);
  const cleanRun = await layerActivations(model, cleanTokens, kinds, signal, reads);
  const corruptRun = await layerActivations(model, corruptTokens, kinds, signal, reads);
  const [cleanValue, corruptValue] = [target.value(cleanRun.read), target.value(corruptRun.read)];
  if (Math.abs(cleanValue - corruptValue) < 1e-6) {
    throw refuse(
      'the target has the same value on both prompts',
      'nothing can be recovered; choose another target or another corruption',
    );
  }
  return {
    clean,
    corrupt,
    target,
    cleanTokens,
    corruptTokens,
    cleanActivations: cleanRun.activations,
    corruptActivations: corruptRun.activations,
    cleanValue,
    corruptValue,
    differing,
  };
}

/** (value − corrupt) / (clean − corrupt): 1 is the clean run, 0 the corrupted one. */
export function recovered({ cleanValue, corruptValue }: PromptPair, value: number): number {
  return (value - corruptValue) / (cleanValue - corruptValue);
}
