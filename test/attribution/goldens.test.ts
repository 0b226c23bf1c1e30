/**
 * Against values computed with PyTorch on the dequantised weights (test/fixtures/golden). An F32 copy of the bundled model must
 * agree tightly; the bundled file itself within what its 8-bit activations do.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ablations } from '../../src/analysis/faithfulness/ablations.ts';
import { attention } from '../../src/attribution/flow/attention.ts';
import { emptyPromptToken } from '../../src/attribution/perturbation/emptyPrompt.ts';
import { evaluateSequences } from '../../src/attribution/perturbation/evaluateSequences.ts';
import { occlusion } from '../../src/attribution/perturbation/occlusion.ts';
import { random } from '../../src/attribution/control/random.ts';
import { openLlamaModel } from '../../src/llama/openLlamaModel.ts';
import type { Model } from '../../src/model/model.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
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
type LeaveOneOut = Record<'remove' | 'remove_words', Record<Measure, number[]>>;
interface Curve {
  readonly ranking: number[];
  readonly remove: { readonly comp: number; readonly suff: number; readonly f: number };
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

    test('leave one word out', async () => {
      const groups = wordGroups(meta.word_unit);
      const input = await inputFor(model, { ids: meta.ids, groups, ...(await targetOf(model, meta, 'logprob')) });
      expect(maximumDifference((await occlusion.attribute(input)).scores, golden.remove_words.logprob)).toBeLessThan(3e-4);
    });

    test('comprehensiveness and sufficiency', async () => {
      const { ranking, remove } = read<Curve>(name, 'faith.json');
      const input = await inputFor(model, { ids: meta.ids, spec: { kind: 'id', id: meta.target_ids[0] ?? 0 }, score: 'logprob' });
      const prompt = { ids: Int32Array.from(meta.ids), units: input.units, emptyToken: await emptyPromptToken(model.tokenizer) };
      const pairs = ablations(prompt, ranking, [0.1, 0.2, 0.3, 0.4, 0.5]);
      const falls = async (prompts: Int32Array[]) => {
        const values = await evaluateSequences(model, prompts, input.target);
        return values.reduce((sum, value) => sum + (input.value - value) / values.length, 0);
      };
      expect(input.value).toBeCloseTo(remove.f, 4);
      expect(Math.abs((await falls(pairs.map((pair) => pair.dropped))) - remove.comp)).toBeLessThan(3e-4);
      expect(Math.abs((await falls(pairs.map((pair) => pair.kept))) - remove.suff)).toBeLessThan(3e-4);
    });
  });

  test.each(['fact', 'ioi', 'chat'])('attention of %s', async (name) => {
    const { ids } = read<Meta>(name, 'meta.json');
    const last = await attention.attribute(await inputFor(model, { ids }));
    expect(maximumDifference(last.scores, goldenArray(name, 'attn_mean_last.f32').slice(-ids.length))).toBeLessThan(4e-6);
    const rollout = await attention.attribute(await inputFor(model, { ids, parameters: { aggregation: 'rollout' } }));
    expect(maximumDifference(rollout.scores, goldenArray(name, 'rollout_last.f32'))).toBeLessThan(4e-6);
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
