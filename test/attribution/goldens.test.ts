/**
 * Against values computed with PyTorch on the dequantised weights (test/fixtures/golden). An F32 copy of the bundled model must
 * agree tightly; the bundled file itself within what its 8-bit activations do.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AblatedValues } from '../../src/analysis/faithfulness/ablatedValues.ts';
import { areaUnder, deletionCurve, insertionCurve } from '../../src/analysis/faithfulness/curves.ts';
import type { ValueWithout } from '../../src/analysis/faithfulness/measure.ts';
import { measures as faithfulnessMeasures } from '../../src/analysis/faithfulness/measures.ts';
import { dropFalls } from '../../src/analysis/faithfulness/measures/comprehensiveness.ts';
import { keepFalls } from '../../src/analysis/faithfulness/measures/sufficiency.ts';
import { rankableUnits, rankByScore } from '../../src/analysis/faithfulness/rankings.ts';
import { attention } from '../../src/attribution/flow/attention.ts';
import { emptyPromptToken } from '../../src/attribution/perturbation/emptyPrompt.ts';
import { contextMixing } from '../../src/attribution/perturbation/contextMixing.ts';
import { occlusion } from '../../src/attribution/perturbation/occlusion.ts';
import { valueZeroing } from '../../src/attribution/perturbation/valueZeroing.ts';
import { random } from '../../src/attribution/control/random.ts';
import { meanOf } from '../../src/analysis/faithfulness/interval.ts';
import type { AttributionInput } from '../../src/attribution/method.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model } from '../../src/model/model.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import { buildUnits } from '../../src/shared/units.ts';
import { copyModel, type ModelCopy } from '../llama/float32Copy.ts';
import { bundledModel, goldenArray, goldenFile, maximumDifference } from '../llama/golden.ts';
import { fullValue, inputFor } from './attributionInput.ts';

interface Meta {
  readonly ids: number[];
  readonly word_unit: number[];
  readonly target_ids: number[];
  readonly contrast_id: number;
}
type Measure = 'logit' | 'logprob' | 'diff';
type LeaveOneOut = Record<'remove' | 'remove_words' | 'mask', Record<Measure, number[]>>;
interface Curve {
  readonly ranking: number[];
  readonly remove: Record<'comp' | 'suff' | 'f' | 'del_auc' | 'ins_auc', number> & Record<'del' | 'ins' | 'ks', number[]>;
}
interface ReferencePrompt {
  readonly text: string;
  readonly target: string;
  readonly f: number;
  readonly U: number;
  readonly res: Record<string, Record<'drop' | 'comp' | 'suff', number>>;
  readonly scores: Record<string, number[]>;
}
interface Segments {
  readonly groups: number[][];
  readonly loo: number[];
}

const read = <T>(...parts: string[]): T => JSON.parse(readFileSync(goldenFile(...parts), 'utf8')) as T;
const measures: readonly Measure[] = ['logit', 'logprob', 'diff'];

/** Words as the reference groups them. */
function wordGroups(units: readonly number[]): number[][] {
  const groups: number[][] = [];
  units.forEach((unit, token) => {
    (groups[unit] ??= []).push(token);
  });
  return groups;
}

async function targetOf(model: Model, meta: Meta, measure: Measure): Promise<{ spec: TargetSpec; score: ScoreKind }> {
  const id = meta.target_ids[0] ?? 0;
  if (measure !== 'diff') return { spec: { kind: 'id', id }, score: measure };
  const [a = '', b = ''] = await model.tokenizer.pieces([id, meta.contrast_id]);
  return { spec: { kind: 'contrast', a, b }, score: 'logit' };
}

describe('an F32 copy of the bundled model', () => {
  let copy: ModelCopy;
  let model: Model;
  beforeAll(async () => {
    copy = await copyModel(bundledModel, 'F32');
    model = await openLlamaModel(copy.file, { threads: 1, contextLength: 512 });
  });
  afterAll(async () => {
    await model.dispose();
    copy.remove();
  });

  describe.each(['fact', 'ioi'])('%s', (name) => {
    const meta = read<Meta>(name, 'meta.json');
    const golden = read<LeaveOneOut>(name, 'loo.json');

    test.each(measures)('leave one out: %s', async (measure) => {
      const input = await inputFor(model, { ids: meta.ids, ...(await targetOf(model, meta, measure)) });
      expect(maximumDifference((await occlusion.attribute(input)).scores, golden.remove[measure])).toBeLessThan(3e-4);
    });

    test.each(measures)('hide one from attention: %s', async (measure) => {
      const target = await targetOf(model, meta, measure);
      const input = await inputFor(model, { ids: meta.ids, parameters: { replacement: 'mask' }, ...target });
      expect(maximumDifference((await occlusion.attribute(input)).scores, golden.mask[measure])).toBeLessThan(3e-4);
    });

    test('leave one word out', async () => {
      const groups = wordGroups(meta.word_unit);
      const input = await inputFor(model, { ids: meta.ids, groups, ...(await targetOf(model, meta, 'logprob')) });
      expect(maximumDifference((await occlusion.attribute(input)).scores, golden.remove_words.logprob)).toBeLessThan(3e-4);
    });

    test('comprehensiveness, sufficiency, and both curves', async () => {
      const { ranking, remove } = read<Curve>(name, 'faith.json');
      const input = await inputFor(model, { ids: meta.ids, spec: { kind: 'id', id: meta.target_ids[0] ?? 0 }, score: 'logprob' });
      const picture = { ranking, scores: [], signed: true, seed: 0 };
      const fractions = [0.1, 0.2, 0.3, 0.4, 0.5];
      const found = await evaluated(model, input, (valueWithout) => ({
        dropped: dropFalls(picture, fractions, valueWithout),
        kept: keepFalls(picture, fractions, valueWithout),
        deletion: deletionCurve(picture, remove.ks, valueWithout),
        insertion: insertionCurve(picture, remove.ks, valueWithout),
      }));
      const heights = (curve: readonly (readonly [number, number])[]) => curve.map(([, height]) => height);
      expect(input.value).toBeCloseTo(remove.f, 4);
      expect(Math.abs(meanOf(found.dropped) - remove.comp)).toBeLessThan(3e-4);
      expect(Math.abs(meanOf(found.kept) - remove.suff)).toBeLessThan(3e-4);
      expect(maximumDifference(heights(found.deletion), remove.del)).toBeLessThan(3e-4);
      expect(maximumDifference(heights(found.insertion), remove.ins)).toBeLessThan(3e-4);
      expect(Math.abs(areaUnder(found.deletion) - remove.del_auc)).toBeLessThan(3e-4);
      expect(Math.abs(areaUnder(found.insertion) - remove.ins_auc)).toBeLessThan(3e-4);
    });
  });

  // Numbers of units whose halves round differently by the usual and the even rule, and a last word of several tokens.
  test.each([0, 1, 2])('the deletion test of reference prompt %i, for every peer', async (index) => {
    const reference = (JSON.parse(readFileSync(goldenFile('faithfulness', 'prompts.json'), 'utf8')) as ReferencePrompt[])[index];
    if (reference === undefined) throw new Error('no such prompt');
    const { tokens } = await model.tokenizer.encode(reference.text, { addSpecial: false });
    const groups = buildUnits(reference.text, tokens, 'word', { sections: [], templateRanges: [] }).map((unit) => unit.tokens);
    const input = await inputFor(model, {
      ids: tokens.map(({ id }) => id),
      groups,
      kinds: ['sink'],
      spec: { kind: 'text', text: reference.target },
    });
    const ranked = rankableUnits(input.units, tokens.length, 'sinks-too');
    expect(ranked).toHaveLength(reference.U);
    expect(input.value).toBeCloseTo(reference.f, 3);
    const asked = Object.entries(reference.scores).flatMap(([peer, scores]) => {
      const picture = { ranking: rankByScore(ranked, scores), scores, signed: true, seed: 0 };
      return (['drop', 'comp', 'suff'] as const).map((id) => {
        const measure = faithfulnessMeasures.find((candidate) => candidate.id === id);
        return { peer, id, read: (valueWithout: ValueWithout) => measure?.value(picture, valueWithout) };
      });
    });
    // All peers together: many of their prompts are the same.
    const found = await evaluated(model, input, (valueWithout) => asked.map(({ read }) => read(valueWithout)));
    asked.forEach(({ peer, id }, at) => {
      const expected = reference.res[peer]?.[id] ?? Number.NaN;
      expect(Math.abs((found[at] ?? Number.NaN) - expected), `${peer} ${id}`).toBeLessThan(2e-3);
    });
  });

  test.each(['fact', 'ioi', 'chat'])('attention of %s', async (name) => {
    const { ids } = read<Meta>(name, 'meta.json');
    const last = await attention.attribute(await inputFor(model, { ids }));
    expect(maximumDifference(last.scores, goldenArray(name, 'attn_mean_last.f32').slice(-ids.length))).toBeLessThan(4e-6);
    const rollout = await attention.attribute(await inputFor(model, { ids, parameters: { aggregation: 'rollout' } }));
    expect(maximumDifference(rollout.scores, goldenArray(name, 'rollout_last.f32'))).toBeLessThan(4e-6);
  });

  test.each(['fact', 'ioi'])('value zeroing of %s, as published', async (name) => {
    const { ids } = read<Meta>(name, 'meta.json');
    const size = ids.length;
    const byLayer = goldenArray(name, 'vz_last.f32');
    const mean = ids.map((_id, key) =>
      meanOf(Array.from({ length: model.info.layers }, (_, layer) => byLayer[layer * size + key] ?? 0)),
    );
    const scoresOf = async (measure: string) =>
      (await valueZeroing.attribute(await inputFor(model, { ids, parameters: { measure } }))).scores;
    expect(maximumDifference(await scoresOf('mean'), mean)).toBeLessThan(1e-3);
    expect(maximumDifference(await scoresOf('rollout'), goldenArray(name, 'vz_rollout_last.f32'))).toBeLessThan(1e-3);
  });

  test('value zeroing of every layer and row', async () => {
    const { ids } = read<Meta>('ioi', 'meta.json');
    const { layers } = await contextMixing(await inputFor(model, { ids }), [...ids.keys()]);
    const found = layers.flatMap((layer) => [...layer]);
    expect(maximumDifference(found, goldenArray('ioi', 'vz.f32'))).toBeLessThan(2e-3);
  });
});

describe('the bundled model', () => {
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 512 });
  });
  afterAll(async () => {
    await model.dispose();
  });

  test('the empty prompt is the separator of documents', async () => {
    expect(await emptyPromptToken(model.tokenizer)).toBe(0);
  });

  test('occlusion equals one full forward pass for each unit, byte for byte', async () => {
    for (const [replacement, name] of [
      ['drop', 'ioi'],
      ['neutral', 'fact'],
    ] as const) {
      const { ids, word_unit } = read<Meta>(name, 'meta.json');
      const input = await inputFor(model, { ids, groups: wordGroups(word_unit), parameters: { replacement } });
      const { scores } = await occlusion.attribute(input);
      const [space = 0] = (await model.tokenizer.encode(' ', { addSpecial: false })).tokens.map((token) => token.id);
      for (const [index, unit] of input.units.entries()) {
        const without =
          replacement === 'drop'
            ? ids.filter((_id, token) => !unit.tokens.includes(token))
            : ids.map((id, token) => (unit.tokens.includes(token) ? space : id));
        const value = await fullValue(model, Int32Array.from(without), input.target);
        expect(scores[index]).toBe(Math.fround(input.value - value));
      }
    }
  });

  test('leave one out agrees with the dequantised weights within rounding', async () => {
    for (const name of ['fact', 'ioi']) {
      const meta = read<Meta>(name, 'meta.json');
      const input = await inputFor(model, { ids: meta.ids, ...(await targetOf(model, meta, 'logprob')) });
      const { scores } = await occlusion.attribute(input);
      expect(maximumDifference(scores, read<LeaveOneOut>(name, 'loo.json').remove.logprob)).toBeLessThan(1.5);
    }
  });

  test('the passage that holds the answer carries it', async () => {
    const { ids, target_ids } = read<Meta>('rag', 'meta.json');
    const { groups, loo } = read<Segments>('rag', 'segments.json');
    const input = await inputFor(model, { ids, groups, spec: { kind: 'response' }, response: target_ids });
    const { scores } = await occlusion.attribute(input);
    expect(maximumDifference(scores, loo)).toBeLessThan(1.5);
    expect(scores.indexOf(Math.max(...scores))).toBe(1);
  });

  test('attention agrees within rounding', async () => {
    const { ids } = read<Meta>('ioi', 'meta.json');
    const { scores } = await attention.attribute(await inputFor(model, { ids }));
    expect(maximumDifference(scores, goldenArray('ioi', 'attn_mean_last.f32').slice(-ids.length))).toBeLessThan(0.055 * 1.3);
  });

  test('random needs no model at all', async () => {
    const { ids } = read<Meta>('fact', 'meta.json');
    expect((await random.attribute(await inputFor(model, { ids }))).forwardPasses).toBe(0);
  });
});

/** What `read` makes of the target's values on prompts without some of the input's units. */
async function evaluated<T>(model: Model, input: AttributionInput, read: (valueWithout: ValueWithout) => T): Promise<T> {
  const ids = Int32Array.from(input.tokens, ({ id }) => id);
  const prompt = { ids, units: input.units, emptyToken: await emptyPromptToken(model.tokenizer) };
  const values = new AblatedValues(model, prompt, input.target, input.value);
  values.ask(read);
  await values.evaluate({});
  return read(values.valueWithout);
}
