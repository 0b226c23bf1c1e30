import type { AttributionInput, AttributionMethod } from '../../attribution/method.ts';
import { chooseMethod, resolveParameters } from '../../attribution/registry.ts';
import { type ResolvedTarget, resolveTarget } from '../../attribution/target.ts';
import type { Model } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { TargetSpec } from '../../shared/target.ts';
import type { ExplainRequest } from '../../shared/protocol/engine.ts';
import { regroup } from '../../shared/units.ts';
import type { RequestContext } from '../requestContext.ts';
import { Draft } from './draft.ts';
import { tellingOptions } from './gradientOptions.ts';
import { namingOtherMethods } from './otherMethods.ts';
import { runPromptPass } from './promptPass.ts';
import { checkContext, tokenizePrompt } from './promptTokens.ts';
import { respond } from './response.ts';
import { checkScores, notMeasured } from './scoreCheck.ts';
import { serverLogits } from './serverLogits.ts';
import { ArrivingScores, attentionTint, rescaled, scoreSections } from './stages.ts';
import { knownRow, resolveEarly, valueOnPrompt } from './targetValue.ts';

/**
 * The main job: which parts of the prompt carried the answer. In order: prompt → tokens → one forward pass (log-probabilities,
 * attention) → response → target → scores → a check of the scores. With `progressive`, partial explanations are sent on the way:
 * attention first, then exact scores of sections, then of units as they arrive; a gradient gives all units at once and needs
 * no sections. The scores are the same with and without.
 * @throws as `tokenizePrompt`, `resolveTarget`, `findMethod`, `resolveParameters`; E_NUMERIC; E_CANCELLED
 */
export async function explain(context: RequestContext, request: ExplainRequest): Promise<Explanation> {
  const { model, signal, progress } = context;
  const { granularity, seed } = request;
  const { method, warnings: fallbackWarnings } = chooseMethod(request, model);
  const parameters = resolveParameters(method, fallbackWarnings.length === 0 ? request.parameters : {});
  const prompt = await tokenizePrompt(model, request.prompt);
  const early = await resolveEarly(model, request);
  if (early !== null) checkContext(model, prompt.ids.length, early.continuation.length);
  const draft = new Draft(model, prompt);
  draft.warnings.push(...fallbackWarnings);

  progress('reading', 0, 1);
  const pass = await runPromptPass(model, prompt.ids, early?.description.ids ?? [], signal);
  progress('reading', 1, 1);
  draft.forwardPasses++;
  draft.read(pass);
  const units = draft.units(granularity);

  const isProvisional = request.progressive && method.needs.length > 0 && method.id !== 'attention';
  const tint = isProvisional ? attentionTint(units, pass.attention, seed) : null;
  if (tint !== null) {
    // No response yet: what the first tint explains is the next token, and on an encoder, which has none, what was asked.
    const first: TargetSpec = model.info.task?.kind === 'embed' ? request.target : { kind: 'next' };
    const next = await resolveTarget(first, undefined, { model, next: pass.next, response: [] });
    const row = knownRow(next, prompt.ids.length, pass);
    const value = row === null ? 0 : next.value([row]);
    const source = request.response === undefined ? 'generated' : 'given';
    const response: Explanation['response'] = { text: request.response ?? '', source, tokens: [] };
    context.partial({
      stage: 'attention',
      explanation: draft.compose({ ...tint, response, target: { ...next.description, value }, granularity, units }),
    });
  }

  const responded = await respond(context, prompt.ids, request);
  draft.forwardPasses += responded.forwardPasses;
  draft.warnings.push(...responded.warnings);
  const { response } = responded;

  const responseIds = response.tokens.map((token) => token.id);
  const asked = await resolveTarget(request.target, request.score, { model, next: pass.next, response: responseIds });
  const { target, warnings: targetWarnings } = serverLogits(model, asked);
  draft.warnings.push(...targetWarnings);
  checkContext(model, prompt.ids.length, target.continuation.length);
  const whole = await wholeResponse(model, responseIds);
  const { value, forwardPasses } = await valueOnPrompt(model, prompt.ids, target, pass, signal);
  draft.forwardPasses += forwardPasses;

  const input: AttributionInput = {
    model,
    tokens: prompt.tokens,
    promptText: prompt.text,
    sections: prompt.sections,
    units,
    target,
    response: whole,
    ablations: context.ablations,
    value,
    parameters,
    seed,
  };
  const known = { response, target: { ...target.description, value }, method: methodOf(method, parameters, seed) };

  let onScore: ((unit: number, score: number) => void) | undefined;
  if (isProvisional && method.tellsUnits === true) {
    let earlier = tint === null ? new Float32Array(units.length) : rescaled(units, tint.scores, value);
    const sections = draft.units('section');
    const scored = granularity === 'section' ? null : await scoreSections(context, method, input, sections);
    if (scored !== null) {
      draft.forwardPasses += scored.forwardPasses;
      earlier = regroup(sections, scored.scores, units);
      const explanation = draft.compose({ ...known, granularity: 'section', units: sections, scores: scored.scores });
      context.partial({ stage: 'sections', explanation });
    }
    const arriving = new ArrivingScores(earlier, (scores) => {
      context.partial({ stage: 'units', explanation: draft.compose({ ...known, granularity, units, scores }) });
    });
    onScore = (unit, score) => arriving.add(unit, score);
  }

  const attributed = await namingOtherMethods(model, () =>
    method.attribute(input, {
      ...tellingOptions(context, method.id),
      ...(onScore === undefined ? {} : { onScore }),
    }),
  );
  if (!attributed.scores.every(Number.isFinite)) throw numeric('a score');
  draft.forwardPasses += attributed.forwardPasses;
  draft.warnings.push(...attributed.warnings);
  const { scores, scoreUnit, completeness, precision, intervals, matrix, findings } = attributed;
  const measured = { scores, scoreUnit, completeness, precision, intervals, matrix, findings };
  const finished = { ...known, granularity, units, ...measured };
  if (isProvisional) {
    // Every score is known; only the check is left.
    context.partial({ stage: 'units', explanation: draft.compose(finished) });
  }

  // A control is what others are measured against.
  if (method.needs.length === 0 && request.faithfulness !== 'full') return draft.compose(finished);
  if (request.faithfulness === false) {
    return draft.compose({ ...finished, warnings: [notMeasured('It was not asked for.')] });
  }
  const { templateRanges } = prompt;
  const checked = { method, input, scores, completeness, templateRanges, spent: draft.forwardPasses };
  const check = await checkScores(context, request, checked);
  draft.forwardPasses += check.forwardPasses;
  const { faithfulness, warnings } = check;
  return draft.compose({ ...finished, faithfulness, warnings });
}

function methodOf(
  method: AttributionMethod,
  parameters: Explanation['method']['parameters'],
  seed: number,
): Explanation['method'] {
  return { id: method.id, parameters, seed, signed: method.isUnsigned?.(parameters) !== true };
}

/** The response as a target of its own, in log-probabilities. */
async function wholeResponse(model: Model, response: readonly number[]): Promise<ResolvedTarget | null> {
  return response.length === 0 ? null : await resolveTarget({ kind: 'response' }, 'logprob', { model, next: 0, response });
}
