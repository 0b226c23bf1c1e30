/** From a request to what is computed for it: checks it, records the pass, finds its sites in the recording. */
import type { GradientRequest, GradientTarget } from '../../model/gradient.ts';
import type { Site } from '../../model/sites.ts';
import { rowsOf } from '../../model/targetSeed.ts';
import { siteUnknown } from '../../shared/errorCatalog.ts';
import { checkTokens } from '../../model/runtime/checkRequest.ts';
import type { Evaluator } from '../evaluation/forward.ts';
import { resolveCapture } from '../../model/runtime/resolveSite.ts';
import { vectorShape } from '../graph/siteTable.ts';
import { checkEmbeddings, checkRules, checkTarget } from '../../model/runtime/checkGradientRequest.ts';
import { GradientProgram } from './gradientProgram.ts';
import { siteOnTape } from './siteTensors.ts';
import { recordTape } from './tape/recordTape.ts';
import type { Tape } from './tape/tape.ts';

/**
 * @param operators names by number
 * @param givesEmbeddings input embeddings are put in when it runs, in place of the tokens' own
 * @throws E_TOKEN_RANGE, E_CONTEXT_OVERFLOW, E_PATCH_SHAPE, E_GRADIENT_TARGET, E_SITE_UNKNOWN, E_LAYER_RANGE
 */
export function programFor(
  { info, sites, contexts, native }: Evaluator,
  operators: readonly string[],
  request: GradientRequest,
  givesEmbeddings: boolean,
): { readonly program: GradientProgram; readonly tape: Tape } {
  const { tokens, embeddings, reference, targets, at, capture = [], rules = 'exact' } = request;
  checkTokens(tokens, info);
  checkRules(request);
  const resolve = (site: Site) => resolveCapture({ site }, sites, info);
  const numbersAt = (site: Site) => {
    const { heads, width } = vectorShape(resolve(site), tokens.length);
    return tokens.length * heads * width;
  };
  for (const input of [embeddings, reference]) if (input !== undefined) checkEmbeddings(tokens, input, info);
  for (const target of targets) checkTarget(target, tokens.length, info, numbersAt);
  if (at.some(({ kind }) => kind === 'logits')) {
    throw siteUnknown('logits', 'a derivative by the logits is the target itself', ['embed']);
  }
  const cotangents = targets.flatMap((target) => (target.kind === 'cotangent' ? [[target, resolve(target.site)] as const] : []));
  const allRows = [...capture.map(resolve), ...cotangents.map(([, site]) => site)].some((site) => site.outputRowsOnly);
  const tape = recordTape(contexts.acquire(tokens.length), native.functions, operators, {
    tokens,
    outputs: outputsOf(targets, tokens.length, allRows),
  });
  const onTape = (site: Site) => siteOnTape(resolve(site), tape);
  const program = new GradientProgram({
    tape,
    targets,
    rules,
    at: at.map(onTape),
    capture: capture.map(onTape),
    cotangentSites: new Map<GradientTarget, ReturnType<typeof onTape>>(
      cotangents.map(([target, site]) => [target, siteOnTape(site, tape)]),
    ),
    logits: onTape({ kind: 'logits' }).tapeNode,
    embed: givesEmbeddings ? onTape({ kind: 'embed' }).tapeNode : null,
    borders: Array.from({ length: info.layers - 1 }, (_, layer) => sites.get(`resid_post.${layer}`)).flatMap((site) =>
      site === undefined ? [] : [siteOnTape(site, tape).tapeNode],
    ),
  });
  return { program, tape };
}

/** Rows of logits that must be computed. */
function outputsOf(targets: readonly GradientTarget[], tokens: number, all: boolean): number[] {
  if (all) return Array.from({ length: tokens }, (_, position) => position);
  const rows = new Set(targets.flatMap((target) => (target.kind === 'cotangent' ? [] : rowsOf(target))));
  return rows.size === 0 ? [tokens - 1] : [...rows].sort((a, b) => a - b);
}
