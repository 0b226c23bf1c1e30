/** Causal tools on a tiny model: identities that hold exactly, and what is refused. */
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveTarget } from '../../../src/attribution/target.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import type { HeatBlock } from '../../../src/shared/inspection/blocks.ts';
import { bundledModel } from '../../llama/golden.ts';
import { toolOn, type ToolRun } from '../runTool.ts';

let model: Model;
beforeAll(async () => {
  model = await openLlamaModel(path.resolve(bundledModel), { threads: 1, contextLength: 64 });
});
afterAll(() => model.dispose());

const target = { kind: 'contrast', a: ' Paris', b: ' London' } as const;
const clean = 'The capital of France is';
const corrupt = 'The capital of England is';

describe('ablate', () => {
  test('resampled from the prompt itself changes nothing', async () => {
    const parameters = { what: 'attn', how: 'resample', layer: 4, other: clean };
    const { data } = await toolOn(model, 'ablate', { text: clean, target, parameters });
    expect((data as { values: number[][] }).values).toEqual([[0]]);
  });

  test('the stream at one position: one value a token', async () => {
    const parameters = { what: 'resid', how: 'zero', layer: 29 };
    const { data, blocks } = await toolOn(model, 'ablate', { text: clean, target, parameters });
    const { values } = data as { values: number[][] };
    // Behind the last layer only the last position is read.
    expect(values[0]?.slice(0, -1).every((change) => change === 0)).toBe(true);
    expect(values[0]?.at(-1)).not.toBe(0);
    expect(blocks.map(({ kind }) => kind)).toEqual(['heat', 'table', 'text']);
  });
});

describe('patch', () => {
  test('a whole clean stream at the last position of the last layer restores everything', async () => {
    const { data, blocks, cost } = await toolOn(model, 'patch', {
      text: clean,
      target,
      parameters: { corrupt, site: 'resid_post' },
    });
    const { values, columns } = data as { values: number[][]; columns: string[] };
    expect(columns).toEqual(['The', ' capital', ' of', ' France', ' is']);
    const [grid] = blocks as [HeatBlock];
    expect(grid.columns.entries[3]?.label).toBe(' France | England');
    expect(values).toHaveLength(30);
    expect(values.at(-1)?.at(-1)).toBeCloseTo(1, 5);
    // Before the changed word both runs are the same.
    for (const row of values) for (const share of row.slice(0, 3)) expect(Math.abs(share)).toBeLessThan(1e-6);
    // The beginning is not computed again: fewer passes than runs.
    expect(cost.forwardPasses).toBeLessThan(0.75 * 30 * 5);
  });

  test('the estimate alone takes few passes', async () => {
    const { data, cost } = await toolOn(model, 'patch', { text: clean, target, parameters: { corrupt, estimate: 'only' } });
    expect(data).toMatchObject({ values: null });
    // A run of each prompt, and a gradient: one forward and one backward (as 2).
    expect(cost.forwardPasses).toBe(5);
  });

  test('one cell has no rank correlation', async () => {
    const parameters = { corrupt: 'No', estimate: 'beside', layer: 3 };
    const { data } = await toolOn(model, 'patch', { text: 'Hi', target, parameters });
    expect(data).toMatchObject({ values: [[expect.closeTo(1, 5)]], estimated: [[expect.any(Number)]] });
    expect(data).not.toHaveProperty('rankCorrelation');
  });

  test('a head is estimated where it is patched: at the words of the answer too', async () => {
    const answer = { kind: 'text', text: ' Paris, the' } as const;
    const parameters = { corrupt, site: 'z', by: 'head', estimate: 'only', layer: 29 };
    const { data } = await toolOn(model, 'patch', { text: clean, target: answer, parameters });
    const found = data as { estimated: number[][]; clean: number; corrupt: number };

    const asked = await resolveTarget(answer, 'logprob', { model, next: 0, response: [] });
    const site = { kind: 'z', layer: 29 } as const;
    const [own, other] = await Promise.all(
      [corrupt, clean].map(async (text) => {
        const { tokens } = await model.tokenizer.encode(text, { parseSpecial: false });
        return Int32Array.from([...tokens.map(({ id }) => id), ...asked.continuation]);
      }),
    );
    const { captured } = await model.forward({ tokens: other ?? new Int32Array(), capture: [{ site }] });
    const base = await model.gradient({
      tokens: own ?? new Int32Array(),
      targets: [asked.gradient(5)],
      at: [site],
      capture: [site],
    });
    const [source, from, slope] = [captured, base.captured, base.targets[0]?.gradients].map(
      (tensors) => tensors?.get('z.29')?.data ?? new Float32Array(),
    );
    const changes = new Array<number>(9).fill(0);
    source?.forEach((value, at) => {
      const head = Math.floor(at / 64) % 9;
      changes[head] = (changes[head] as number) + (value - (from?.[at] as number)) * (slope?.[at] as number);
    });
    // Five tokens of the prompt, and two of the answer that are read.
    expect(source).toHaveLength(7 * 9 * 64);
    found.estimated[0]?.forEach((share, head) =>
      expect(share * (found.clean - found.corrupt)).toBeCloseTo(changes[head] as number, 4),
    );
  });
});

test('path-patch: the MLP of the last layer has one path, so it is its whole effect', async () => {
  const parameters = { corrupt, sender: 'mlp 29' };
  const { data, blocks } = await toolOn(model, 'path-patch', { text: clean, target, parameters });
  const { senders, totalEffect } = data as { senders: { effect: number }[]; totalEffect: number };
  expect(senders[0]?.effect).toBe(totalEffect);
  expect(blocks.map(({ kind }) => kind)).toEqual(['bars', 'text']);
});

test('circuit: few messages between few parts keep what as many random ones lose, for far fewer passes than there are edges', async () => {
  const parameters = { corrupt, edges: 50, draws: 3, check: 3 };
  const { data, blocks, cost } = await toolOn(model, 'circuit', { text: clean, target, parameters });
  const found = data as {
    kept: number;
    keptParts: number;
    components: string[];
    random: { values: number[]; asGood: number };
    randomParts: { values: number[]; asGood: number };
    curve: { edges: number; kept: number; keptParts: number }[];
    scored: number;
    checked: object[];
  };
  expect(found.components).toContain('L23.H4');
  expect(found.components.length).toBeLessThan(40);
  expect(found.kept).toBeGreaterThan(Math.max(...found.random.values) + 0.3);
  expect(found.keptParts).toBeGreaterThan(Math.max(...found.randomParts.values) + 0.3);
  expect([found.random.asGood, found.randomParts.asGood]).toEqual([0, 0]);
  // All sizes are run both ways; the more messages, the more of the difference in the end.
  expect(found.curve.map(({ edges }) => edges)).toEqual([6, 13, 25, 50, 100, 200, 400]);
  expect(found.curve[3]?.kept).toBe(found.kept);
  expect(found.curve.at(-1)?.kept).toBeGreaterThan(0.7);
  expect(found.checked).toHaveLength(3);
  expect(cost.forwardPasses).toBeLessThan(350);
  expect(blocks.map(({ kind }) => kind)).toEqual(['graph', 'text', 'curve', 'table', 'text']);
});

const refused: readonly (readonly [string, string, ToolRun, RegExp])[] = [
  ['patch', 'no second prompt', { text: clean, target }, /corrupt.*missing/],
  [
    'patch',
    'another length',
    { text: clean, target, parameters: { corrupt: 'The capital of Great Britain is' } },
    /part at token 3/,
  ],
  ['patch', 'the same prompt', { text: clean, target, parameters: { corrupt: clean } }, /it is the clean prompt/],
  ['patch', 'heads of a stream', { text: clean, target, parameters: { corrupt, by: 'head' } }, /add --site z/],
  ['patch', 'an unknown site', { text: clean, target, parameters: { corrupt, site: 'nowhere' } }, /use one of/],
  ['path-patch', 'a sender that is no part', { text: clean, target, parameters: { corrupt, sender: 'neuron 3' } }, /"head 3.5"/],
  ['path-patch', 'a head without a number', { text: clean, target, parameters: { corrupt, sender: 'head 3' } }, /names no part/],
  ['path-patch', 'a head the model lacks', { text: clean, target, parameters: { corrupt, sender: 'head 3.9' } }, /no head 9/],
  ['path-patch', 'a layer the model lacks', { text: clean, target, parameters: { corrupt, receiver: 'mlp 30' } }, /mlp 30/],
  [
    'path-patch',
    'a sender behind the receiver',
    { text: clean, target, parameters: { corrupt, sender: 'mlp 4', receiver: 'head 4.0' } },
    /not computed before/,
  ],
  ['path-patch', 'nothing before', { text: clean, target, parameters: { corrupt, receiver: 'head 0.0' } }, /nothing is computed/],
  [
    'path-patch',
    'queries of an MLP',
    { text: clean, target, parameters: { corrupt, receiver: 'mlp 4', input: 'q' } },
    /has no q/,
  ],
  ['circuit', 'no second prompt', { text: clean, target }, /corrupt.*missing/],
  ['circuit', 'too few edges', { text: clean, target, parameters: { corrupt, edges: 1 } }, /no chain of such edges/],
  ['circuit', 'a threshold above all', { text: clean, target, parameters: { corrupt, threshold: 100 } }, /lower the threshold/],
  ['steer', 'one text', { text: clean, target, parameters: { toward: 'I love it.' } }, /away.*missing/],
  ['steer', 'an empty text', { text: clean, target, parameters: { toward: 'I love it.|', away: 'I hate it.' } }, /is empty/],
  ['steer', 'one token', { text: clean, target, parameters: { toward: 'love', away: 'I hate it.' } }, /is one token/],
  ['steer', 'the same text', { text: clean, target, parameters: { toward: 'I love it.', away: 'I love it.' } }, /no direction/],
  [
    'steer',
    'scales in words',
    { text: clean, target, parameters: { toward: 'I love it.', away: 'I hate it.', scales: '1,two' } },
    /no list of numbers/,
  ],
  [
    'steer',
    'a layer the model lacks',
    { text: clean, target, parameters: { toward: 'I love it.', away: 'I hate it.', layer: 30 } },
    /layer 30/,
  ],
  ['ablate', 'resample without a prompt', { text: clean, target, parameters: { how: 'resample' } }, /second prompt/],
  ['ablate', 'a second prompt that is not read', { text: clean, target, parameters: { other: corrupt } }, /zero takes nothing/],
  ['ablate', 'a layer the model lacks', { text: clean, target, parameters: { layer: 30 } }, /30/],
  ['patch', 'a layer the model lacks', { text: clean, target, parameters: { corrupt, layer: 30 } }, /30/],
  ['trace', 'a layer the model lacks', { text: clean, target, parameters: { subject: 'France', layer: 30 } }, /30/],
  ['trace', 'no subject', { text: clean, target }, /subject.*missing/],
  ['trace', 'a subject that is not there', { text: clean, target, parameters: { subject: 'Spain' } }, /does not contain/],
  ['trace', 'a subject that stands twice', { text: 'is it is', target, parameters: { subject: 'is' } }, /more than once/],
];

test.each(refused)('%s refuses: %s', async (tool, _, run, message) => {
  await expect(toolOn(model, tool, run)).rejects.toThrow(message);
});

test('trace: blurring the subject costs the answer, and its last layer gives it back at the end', async () => {
  const run = { text: clean, target, seed: 7, parameters: { subject: 'France', samples: 1, layer: 29 } };
  const { data } = await toolOn(model, 'trace', run);
  const {
    clean: high,
    corrupt: low,
    subject,
    values,
  } = data as { clean: number; corrupt: number; subject: { text: string }; values: number[][] };
  expect(high).toBeGreaterThan(low);
  expect(values).toHaveLength(1);
  expect(subject.text.trim()).toBe('France');
  expect(values.at(-1)?.at(-1)).toBeCloseTo(high, 4);
});
