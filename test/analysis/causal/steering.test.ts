/** Steering on the bundled model: nothing added is nothing changed, and behind the last layer the change is the unembedding's. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { captureSites } from '../../../src/analysis/activations/captureSites.ts';
import {
  norm,
  pooledActivation,
  pooledPositions,
  randomDirections,
  steeringPatch,
} from '../../../src/analysis/causal/steering.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model } from '../../../src/model/model.ts';
import { bundledModel } from '../../llama/golden.ts';
import { toolOn } from '../runTool.ts';

const { signal } = new AbortController();
const text = 'I went to see the film yesterday. I thought it was';
const target = { kind: 'contrast', a: ' great', b: ' terrible' } as const;

const behindFirst = (tokens: Int32Array) => [...tokens.keys()].slice(1);

let model: Model;
let ids: Int32Array;
beforeAll(async () => {
  model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 64 });
  ids = await encoded(text);
});
afterAll(() => model.dispose());

async function encoded(words: string): Promise<Int32Array> {
  return Int32Array.from((await model.tokenizer.encode(words)).tokens, ({ id }) => id);
}

interface Point {
  readonly scale: number;
  readonly change: number;
  readonly random: readonly number[];
  readonly text: string | null;
}

test('scale 0 writes what the model writes; a text and its opposite pull apart', async () => {
  const parameters = {
    toward: 'I love this.|This is wonderful.|What a great day.',
    away: 'I hate this.|This is terrible.|What a bad day.',
    layer: 12,
    scales: '2,0,-2',
    tokens: 6,
  };
  const { data, blocks } = await toolOn(model, 'steer', { text, target, parameters });
  const { points } = data as { points: Point[] };
  const { text: plain } = await model.generate({ tokens: ids, maxTokens: 6, temperature: 0, seed: 0, top: 0 });
  expect(points.map(({ scale }) => scale)).toEqual([-2, 0, 2]);
  expect(points[1]).toMatchObject({ change: 0, random: [0, 0, 0, 0, 0], text: plain });
  expect(points[0]?.change).toBeLessThan(Math.min(...(points[0]?.random ?? [])));
  expect(points[2]?.change).toBeGreaterThan(1);
  expect(points[0]?.text).not.toBe(plain);
  expect(blocks.map(({ kind }) => kind)).toEqual(['curve', 'table', 'text']);
});

test('behind the last layer: the direction goes straight into the unembedding', async () => {
  const site = { kind: 'resid_post', layer: model.info.layers - 1 } as const;
  const parameters = { toward: 'I love this.', away: 'I hate this.', layer: site.layer, scales: '1.5', tokens: 0 };
  const { data } = await toolOn(model, 'steer', { text, target, parameters });
  const { points, baseline } = data as { points: Point[]; baseline: number };
  const [toward, away] = [await encoded('I love this.'), await encoded('I hate this.')];
  const means: Float64Array[] = [];
  for (const tokens of [toward, away])
    means.push((await pooledActivation(model, tokens, site, behindFirst(tokens), signal)).mean);
  const stream = (await captureSites(model, { tokens: ids, sites: [site] }, signal))(site);
  const rows = stream
    .slice(-model.info.hidden)
    .map((value, at) => value + 1.5 * ((means[0]?.[at] as number) - (means[1]?.[at] as number)));
  const [great = 0] = await encoded(' great');
  const [terrible = 0] = await encoded(' terrible');
  const [expected] = await model.unembed({ rows, read: [{ ids: [great, terrible] }] });
  const [a = 0, b = 0] = expected?.logits ?? [];
  expect(baseline + (points[0]?.change as number)).toBeCloseTo(a - b, 3);
  expect(points[0]?.text).toBeNull();
});

test('the mean over a text leaves its first token out', async () => {
  const site = { kind: 'resid_post', layer: 3 } as const;
  const values = (await captureSites(model, { tokens: ids, sites: [site] }, signal))(site);
  const { hidden } = model.info;
  const expected = Array.from({ length: hidden }, (_, at) => {
    let sum = 0;
    for (let position = 1; position < ids.length; position++) sum += values[position * hidden + at] as number;
    return sum / (ids.length - 1);
  });
  const { mean } = await pooledActivation(model, ids, site, behindFirst(ids), signal);
  expect(Math.max(...mean.map((value, at) => Math.abs(value - (expected[at] as number))))).toBeLessThan(1e-9);
  const last = await pooledActivation(model, ids, site, [ids.length - 1], signal);
  expect(Array.from(last.mean)).toEqual(Array.from(values.slice(-hidden)));
});

test('random directions are as long as the direction, and the same for the same seed', () => {
  const like = Float32Array.from([3, 4]);
  const directions = randomDirections(like, 3, 7);
  for (const direction of directions) expect(norm(direction)).toBeCloseTo(5, 5);
  expect(directions).toEqual(randomDirections(like, 3, 7));
  const patch = steeringPatch({ kind: 'resid_post', layer: 0 }, like, -2, 2);
  expect(patch.operation).toEqual({ kind: 'add', values: Float32Array.from([-6, -8, -6, -8]) });
});

const conversation = JSON.stringify([{ role: 'user', content: 'How was the film?' }]);

test('texts are read as messages where the prompt is a conversation, and the template is no part of the direction', async () => {
  const parameters = { toward: 'I love this.', away: 'I hate this.', scales: '1', tokens: 0, layer: 12 };
  const { data } = await toolOn(model, 'steer', {
    text: conversation,
    format: 'messages-json',
    mode: 'chat',
    target,
    parameters,
  });
  const { directionNorm } = data as { directionNorm: number };
  const plain = await toolOn(model, 'steer', { text, target, parameters });
  // Of some thirty tokens of the template most are alike on both sides: with them the direction would be a sixth as long.
  expect(directionNorm).toBeGreaterThan(0.4 * (plain.data as { directionNorm: number }).directionNorm);
  const raw = await toolOn(model, 'steer', { text: conversation, format: 'messages-json', mode: 'raw', target, parameters });
  expect((raw.data as { directionNorm: number }).directionNorm).toBe((plain.data as { directionNorm: number }).directionNorm);
});

test('of a text count the tokens behind the first that the template did not write, or the last one', () => {
  const tokens = [0, 3, 6, 9].map((start) => ({ id: 1, text: 'abc', start, end: start + 3, special: false }));
  expect(pooledPositions({ tokens, templateRanges: [] }, 'mean')).toEqual([1, 2, 3]);
  const templateRanges = [
    { start: 0, end: 3 },
    { start: 9, end: 12 },
  ];
  expect(pooledPositions({ tokens, templateRanges }, 'mean')).toEqual([1, 2]);
  expect(pooledPositions({ tokens, templateRanges }, 'last')).toEqual([3]);
  expect(pooledPositions({ tokens: tokens.slice(0, 1), templateRanges: [] }, 'last')).toEqual([]);
});
