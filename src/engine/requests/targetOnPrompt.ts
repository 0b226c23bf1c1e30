import type { GradientInput } from '../../attribution/gradient/promptGradient.ts';
import { type ResolvedTarget, resolveTarget } from '../../attribution/target.ts';
import type { Precision } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { ScoreKind, TargetSpec } from '../../shared/target.ts';
import type { Token } from '../../shared/tokens.ts';
import type { RequestContext } from '../requestContext.ts';
import { checkContext } from './promptTokens.ts';
import { respond } from './response.ts';
import { needsResponse } from './targetValue.ts';

/** A target, and where its response comes from. */
export interface TargetRequest {
  readonly target: TargetSpec;
  readonly score?: ScoreKind;
  /** Response tokens generated first, where the target needs a response. */
  readonly maxTokens: number;
  readonly response?: string;
  readonly seed: number;
}

/**
 * A target for requests that explain nothing but differentiate it; a response is made only where the target reads one.
 * @throws as `resolveTarget` and `respond`; E_CONTEXT_OVERFLOW
 */
export async function targetOnPrompt(context: RequestContext, ids: Int32Array, request: TargetRequest): Promise<ResolvedTarget> {
  const { model } = context;
  const response = needsResponse(request.target) ? (await respond(context, ids, request)).response.tokens : [];
  const next = request.target.kind === 'next' ? await nextToken(context, ids) : 0;
  const target = await resolveTarget(request.target, request.score, { model, next, response: response.map(({ id }) => id) });
  checkContext(model, ids.length, target.continuation.length);
  return target;
}

/** What the gradient functions of `src/attribution` are given. */
export function gradientInput(
  { model }: RequestContext,
  tokens: readonly Token[],
  target: ResolvedTarget,
  precision: Precision = 'as-served',
): GradientInput {
  return { model, tokens, target, parameters: { precision } };
}

async function nextToken({ model, signal }: RequestContext, ids: Int32Array): Promise<number> {
  const { read, nonFinite } = await model.forward(
    { tokens: ids, read: [{ position: ids.length - 1, ids: [], top: 1 }] },
    { signal },
  );
  if (nonFinite !== null) throw numeric(nonFinite);
  return read[0]?.top[0]?.id ?? 0;
}
