import { guidedOcclusion } from '../src/attribution/perturbation/guidedOcclusion.ts';
import { leaveOut } from '../src/attribution/perturbation/occlusion.ts';
import { resolveParameters } from '../src/attribution/registry.ts';
import { shownUnits } from '../src/attribution/scoredUnits.ts';
import { openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { Model } from '../src/model/model.ts';
import type { Unit } from '../src/shared/tokens.ts';
import type { Benchmark, Measurement } from './benchmark.ts';
import { benchInput, ownPrompts, publicPrompts } from './benchInput.ts';
import { benchPrompt } from './benchPrompt.ts';
import { cpuRatio, interleave, median } from './measure.ts';

/** Of the units of long prompts exhaustive occlusion leaves out every n-th; what a unit costs hangs on its place alone. */
const lengths = [
  { tokens: 200, every: 4, goal: 5 },
  { tokens: 500, every: 12, goal: 8 },
] as const;
const rounds = 2;
const top = 5;

/** Occlusion of the words that the gradient names, against occlusion of every word; and whether it finds the same top five. */
export const guidedOcclusionSpeed: Benchmark = {
  id: 'guided-occlusion',
  title: 'Guided occlusion against exhaustive occlusion, by words',
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 2048 });
    try {
      const speeds: Measurement[] = [];
      for (const length of lengths) speeds.push(...(await speed(model, length)));
      const same = [];
      for (const prompt of publicPrompts(file)) same.push(await sameTop(model, prompt));
      const own = [];
      for (const prompt of ownPrompts(file)) own.push(await sameTop(model, prompt));
      const share = (found: readonly number[]) => (100 * found.filter((both) => both === 1).length) / found.length;
      const mean = (found: readonly number[]) => (100 * found.reduce((sum, both) => sum + both, 0)) / found.length;
      return [
        ...speeds,
        { quantity: 'same top 5, public prompts', value: share(same), unit: '%', goal: { atLeast: 95 } },
        { quantity: 'of the top 5 found, public prompts', value: mean(same), unit: '%' },
        { quantity: 'same top 5, own prompts', value: share(own), unit: '%', goal: { atLeast: 95 } },
        { quantity: 'of the top 5 found, own prompts', value: mean(own), unit: '%' },
      ];
    } finally {
      await model.dispose();
    }
  },
};

async function speed(model: Model, { tokens: count, every, goal }: (typeof lengths)[number]): Promise<Measurement[]> {
  const { text } = await benchPrompt(model.tokenizer, count);
  const input = { ...(await benchInput(model, text)), parameters: resolveParameters(guidedOcclusion) };
  const words = shownUnits(input.units);
  const sampled = words.filter((_unit, place) => place % every === every >> 1).map((unit) => input.units[unit] as Unit);
  const scale = words.length / sampled.length;
  let passes = 0;
  const runs = await interleave(
    rounds,
    (round) => leaveOut(input, round === 0 ? sampled.slice(0, 2) : sampled),
    async () => {
      passes = (await guidedOcclusion.attribute(input)).forwardPasses;
    },
  );
  return [
    { quantity: `${count} tokens: words`, value: words.length, unit: '' },
    {
      quantity: `every word (${sampled.length} × ${scale.toFixed(1)})`,
      value: scale * median(runs.a.map(({ cpu }) => cpu)),
      unit: 'CPU ms',
    },
    { quantity: 'guided', value: median(runs.b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
    { quantity: 'guided, counted in forward passes', value: passes, unit: '' },
    { quantity: `faster by, ${count} tokens`, value: scale * cpuRatio(runs), unit: '×', goal: { atLeast: goal } },
  ];
}

/** The share of the five words of largest effect that guided occlusion finds: its scores are those of the exhaustive one, or 0. */
async function sameTop(model: Model, text: string): Promise<number> {
  const input = { ...(await benchInput(model, text)), parameters: resolveParameters(guidedOcclusion) };
  const words = shownUnits(input.units);
  const { effects } = await leaveOut(
    input,
    words.map((unit) => input.units[unit] as Unit),
  );
  const { scores } = await guidedOcclusion.attribute(input);
  const largest = (of: ArrayLike<number>, place: (at: number) => number) =>
    words
      .map((unit, at) => ({ unit, size: Math.abs(of[place(at)] ?? 0) }))
      .sort((a, b) => b.size - a.size || a.unit - b.unit)
      .slice(0, top)
      .map(({ unit }) => unit);
  const found = new Set(largest(scores, (at) => words[at] as number));
  return largest(effects, (at) => at).filter((unit) => found.has(unit)).length / Math.min(top, words.length);
}
