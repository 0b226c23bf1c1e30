import { layerActivations } from '../src/analysis/causal/activationRows.ts';
import { patchedValues } from '../src/analysis/causal/patchedValues.ts';
import { resolveTarget } from '../src/attribution/target.ts';
import { openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { Patch } from '../src/model/model.ts';
import type { Benchmark } from './benchmark.ts';
import { benchPrompt } from './benchPrompt.ts';
import { cpuRatio, interleave, median } from './measure.ts';

const length = 15;

/**
 * Activation patching of the residual stream at every layer and position of 15 tokens, against one whole pass for each patch, and
 * against what cannot be done without: the patched position and those behind it, computed without a patch, for each of the same places.
 */
export const patchingCost: Benchmark = {
  id: 'patching',
  title: `Activation patching of all layers and positions, ${length} tokens`,
  async run({ model: file }) {
    const model = await openLlamaModel(file, { threads: 1, contextLength: 256 });
    try {
      const { tokens } = await benchPrompt(model.tokenizer, length);
      const other = Int32Array.from(tokens, (id, position) => (position === 3 ? id + 1 : id));
      const { signal } = new AbortController();
      const { layers } = model.info;
      const source = (await layerActivations(model, other, ['resid_pre'], signal)).activations.get('resid_pre');
      if (source === undefined) throw new Error('no activations');
      const target = await resolveTarget({ kind: 'id', id: 0 }, 'logit', { model, next: 0, response: [] });
      const places = Array.from({ length: layers * length }, (_, index) => ({
        layer: Math.floor(index / length),
        position: index % length,
      }));
      const sets = places.map(({ layer, position }): Patch[] => [source.patchPosition(layer, position)]);
      const read = target.reads(length);
      let forwardPasses = 0;
      const patching = async () => {
        ({ forwardPasses } = await patchedValues({ model, ids: tokens, target, signal }, sets));
      };
      const wholePasses = async () => {
        for (const patches of sets) await model.forward({ tokens, read, patches });
      };
      // The same positions behind the same kept beginning: another token at the place makes all from there on be computed.
      const variants = places
        .toSorted((a, b) => b.position - a.position)
        .map(({ layer, position }) => ({
          tokens: Int32Array.from(tokens, (id, at) => (at === position ? 1000 + layer : id)),
          read,
        }));
      const positionsAlone = async () => {
        await model.forwardVariants({ variants });
      };
      const single = () => model.forward({ tokens, read });
      const naive = await interleave(1, patching, wholePasses);
      const needed = await interleave(3, patching, positionsAlone);
      const one = await interleave(5, single, single);
      const pass = median([...one.a, ...one.b].map(({ cpu }) => cpu));
      const cost = median(needed.a.map(({ cpu }) => cpu));
      return [
        { quantity: 'one forward pass', value: pass, unit: 'CPU ms' },
        { quantity: 'patches', value: sets.length, unit: '' },
        { quantity: 'positions to compute, in passes', value: forwardPasses, unit: '' },
        { quantity: 'patching', value: cost, unit: 'CPU ms' },
        { quantity: 'patching by one whole pass a patch', value: cpuRatio(naive), unit: '×' },
        {
          quantity: 'patching by the passes it needs',
          value: cost / (pass * forwardPasses),
          unit: '×',
          goal: { atMost: 1.5 },
        },
        { quantity: 'patching by the same positions without patches', value: cpuRatio(needed), unit: '×', goal: { atMost: 1.5 } },
      ];
    } finally {
      await model.dispose();
    }
  },
};
