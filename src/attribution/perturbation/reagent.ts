import type { AttributionMethod } from '../method.ts';
import { shownUnits } from '../scoredUnits.ts';
import { seededRandom } from '../seededRandom.ts';
import { evaluateSequences, sharedPasses } from './evaluateSequences.ts';
import { contrastsOf, type Sample } from './replacementContrasts.ts';
import { proposedTokens, replaced } from './proposedTokens.ts';
import { runUntilKept, testsKept } from './runUntilKept.ts';

/**
 * Replacement by the model's own proposals, after ReAGent (Zhao & Shan 2024, arXiv 2402.00794): random sets of units are replaced by
 * tokens that the model itself finds likely at their places, so prompts stay near to what it knows. Score = mean fall of the target
 * where the unit was replaced minus where it was not; signed, in the target's unit; the mean over runs. With `stop`, a run ends by the
 * paper's rule (`runUntilKept`). See docs/methods/reagent.md.
 */
export const reagent: AttributionMethod = {
  id: 'reagent',
  family: 'perturbation',
  label: 'Replacement by proposals (ReAGent)',
  assumption:
    'Words are replaced by ones the model would have expected there. Fair to the model; a word it expects changes little.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Prompts with replacements in a run, at most', default: 64, minimum: 2, maximum: 4096, whole: true },
    { id: 'share', label: 'Share of units replaced in each', default: 0.3, minimum: 0.05, maximum: 0.95 },
    {
      id: 'stop',
      label: 'End a run once the answer is among the model’s first … with only the top units kept; 0: never',
      default: 0,
      minimum: 0,
      maximum: 1000,
      whole: true,
    },
    { id: 'keep', label: 'Share of units kept for that test', default: 0.3, minimum: 0.01, maximum: 1 },
    { id: 'runs', label: 'Runs that the scores are the mean of', default: 1, minimum: 1, maximum: 64, whole: true },
  ],
  cost: (_units, sharesBeginnings) => (sharesBeginnings ? 50 : 65),

  async attribute(input, options = {}) {
    const { units, tokens, target, parameters } = input;
    const scored = shownUnits(units);
    const proposed = await proposedTokens(input, options);
    const random = seededRandom(input.seed);
    const total = Number(parameters['samples']);
    // The first token has nothing before it: no proposals, and no replacement that could tell anything.
    const hasProposals = scored.map((unit) => units[unit]?.tokens.some((token) => (proposed[token] ?? []).length > 0) === true);
    const draw = (): Sample => {
      const marked = hasProposals.map((has) => random() < Number(parameters['share']) && has);
      return { marked, prompt: replaced(input, proposed, (place) => marked[place] === true, random) };
    };
    const runs = Number(parameters['runs']);
    const stop = testsKept(target) ? Number(parameters['stop']) : 0;
    const behind = target.continuation.length;
    let passes = tokens.length / (tokens.length + behind);
    let unfinished = 0;
    const results: Float64Array[] = [];
    for (let run = 0; run < runs; run++) {
      const tell = (done: number) => options.onProgress?.(run * total + done, runs * total);
      if (stop > 0) {
        const ended = await runUntilKept(input, proposed, {
          draw,
          random,
          total,
          stop,
          keep: Number(parameters['keep']),
          tell,
          options,
        });
        passes += ended.forwardPasses;
        if (!ended.stopped) unfinished++;
        results.push(ended.contrasts);
        continue;
      }
      const samples = Array.from({ length: total }, draw);
      const prompts = samples.map(({ prompt }) => prompt);
      let done = 0;
      const values = await evaluateSequences(input.model, prompts, target, {
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onValue: () => tell(++done),
      });
      // The proposals have just been read from the prompt itself.
      const readBefore = run === 0 ? Int32Array.from(tokens, ({ id }) => id) : undefined;
      passes += sharedPasses(input.model.info, prompts, tokens.length, behind, readBefore);
      results.push(contrastsOf(scored.length, samples, values));
    }
    const scores = new Float32Array(units.length);
    scored.forEach((unit, place) => {
      scores[unit] = results.reduce((sum, contrasts) => sum + (contrasts[place] as number), 0) / runs;
    });
    return { scores, forwardPasses: passes, warnings: warningsOf(Number(parameters['stop']), stop, unfinished, runs) };
  },
};

function warningsOf(asked: number, stop: number, unfinished: number, runs: number): { code: string; message: string }[] {
  if (asked > 0 && stop === 0) {
    return [
      {
        code: 'W_STOPPING_RULE',
        message: 'This target has no token that could stay among the first, so no run was ended early.',
      },
    ];
  }
  if (unfinished === 0) return [];
  return [
    {
      code: 'W_STOPPING_RULE',
      message: `${unfinished} of ${runs} runs took all their prompts without the answer coming back among the first ${stop}: the top units do not carry it.`,
    },
  ];
}
