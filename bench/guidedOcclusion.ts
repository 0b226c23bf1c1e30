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

/** Of the words of long prompts the naive form leaves out every n-th, whole pass by whole pass: each costs the same. */
const lengths = [
  { tokens: 200, every: 12, goal: 5 },
  { tokens: 500, every: 36, goal: 8 },
] as const;
const rounds = 2;
const top = 5;

/** Occlusion of the words that promise most, against a whole pass for every word; and whether it finds the same top five. */
export const guidedOcclusionSpeed: Benchmark = {
  id: 'guided-occlusion',
  title: 'Guided occlusion against one whole pass a word',
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 2048 });
    try {
      const measured: Measurement[] = [];
      for (const length of lengths) measured.push(...(await speed(model, length)));
      const sets = [
        { name: 'reference prompts', texts: publicPrompts(file) },
        { name: 'own prompts', texts: ownPrompts(file) },
        { name: '200 tokens', texts: [(await benchPrompt(model.tokenizer, 200)).text] },
      ];
      for (const { name, texts } of sets) {
        const found: number[] = [];
        for (const text of texts) found.push(await sameTop(model, text));
        measured.push(
          {
            quantity: `same top 5, ${name}`,
            value: (100 * found.filter((share) => share === 1).length) / found.length,
            unit: '%',
            goal: { atLeast: 95 },
          },
          {
            quantity: `of the top 5 found, ${name}`,
            value: (100 * found.reduce((sum, share) => sum + share, 0)) / found.length,
            unit: '%',
          },
        );
      }
      return measured;
    } finally {
      await model.dispose();
    }
  },
};

async function speed(model: Model, { tokens: count, every, goal }: (typeof lengths)[number]): Promise<Measurement[]> {
  const { text } = await benchPrompt(model.tokenizer, count);
  const input = { ...(await benchInput(model, text)), parameters: resolveParameters(guidedOcclusion) };
  const ids = Int32Array.from(input.tokens, ({ id }) => id);
  const words = shownUnits(input.units);
  const sampled = words.filter((_unit, place) => place % every === every >> 1).map((unit) => input.units[unit] as Unit);
  const scale = words.length / sampled.length;
  let passes = 0;
  const runs = await interleave(
    rounds,
    async (round) => {
      for (const unit of round === 0 ? sampled.slice(0, 1) : sampled) {
        const tokens = ids.filter((_id, at) => !unit.tokens.includes(at));
        await model.forward({ tokens, read: input.target.reads(tokens.length) });
      }
    },
    async () => {
      passes = (await guidedOcclusion.attribute(input)).forwardPasses;
    },
  );
  return [
    { quantity: `${count} tokens: words`, value: words.length, unit: '' },
    {
      quantity: `a pass a word (${sampled.length} × ${scale.toFixed(1)})`,
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
