import { lateOcclusion } from '../src/attribution/ensemble/lateOcclusion.ts';
import { loupe } from '../src/attribution/ensemble/loupe.ts';
import { CoalitionGame, players } from '../src/attribution/perturbation/coalitions.ts';
import { resolveParameters } from '../src/attribution/registry.ts';
import { middlePlayer, randomCoalitions } from '../src/attribution/surrogate/ablations.ts';
import { openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { Benchmark } from './benchmark.ts';
import { benchInput } from './benchInput.ts';
import { benchPrompt } from './benchPrompt.ts';
import { cpuRatio, interleave, median } from './measure.ts';

const length = 200;
const ablations = 64;
const passes = 8;
const rounds = 3;

/** What methods of few passes cost in the time of a whole pass over the same prompt: 64 ablated prompts, and the parts of `loupe` quick. */
export const randomAblations: Benchmark = {
  id: 'random-ablations',
  title: `${ablations} random ablations of ${length} tokens, words dropped; and loupe, quick: in full forward passes' time`,
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 2048 });
    try {
      const { text } = await benchPrompt(model.tokenizer, length);
      const input = { ...(await benchInput(model, text)), parameters: resolveParameters(loupe) };
      const units = players(input, { keepLast: true });
      const tokens = Int32Array.from(input.tokens, ({ id }) => id);
      const read = async () => await model.forward({ tokens, read: input.target.reads(tokens.length) });
      const readOften = async (round: number) => {
        for (let pass = 0; pass < (round === 0 ? 1 : passes); pass++) await read();
      };
      let counted = 0;
      const ablated = await interleave(
        rounds,
        async (round) => {
          const game = await CoalitionGame.open(input, { units });
          const count = round === 0 ? 2 : ablations;
          await game.values(randomCoalitions(units.length, count, middlePlayer(game, input), round));
          counted = game.forwardPasses;
        },
        readOften,
      );
      let late = 0;
      const lateRuns = await interleave(
        rounds,
        async () => {
          // Behind a prompt that was just read, as in an explanation; the pass itself is taken off below.
          await read();
          late = (await lateOcclusion(input, units, 0.9)).forwardPasses;
        },
        readOften,
      );
      const quick = await interleave(
        rounds,
        async () => {
          await read();
          await loupe.attribute(input);
        },
        readOften,
      );
      const inPasses = (runs: Parameters<typeof cpuRatio>[0]) => cpuRatio(runs) * passes;
      return [
        { quantity: 'a full forward pass', value: median(ablated.b.map(({ cpu }) => cpu)) / passes, unit: 'CPU ms' },
        { quantity: `${ablations} ablations, counted in passes`, value: counted, unit: '' },
        { quantity: `${ablations} ablations, in passes' time`, value: inPasses(ablated), unit: '', goal: { atMost: 32 } },
        { quantity: 'late units, counted in passes', value: late, unit: '' },
        { quantity: "late units, in passes' time", value: inPasses(lateRuns) - 1, unit: '' },
        { quantity: "loupe quick, in passes' time", value: inPasses(quick) - 1, unit: '' },
      ];
    } finally {
      await model.dispose();
    }
  },
};
