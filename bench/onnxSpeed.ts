import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { CaptureRequest, Model } from '../src/model/model.ts';
import { openOnnxModel } from '../src/onnx/openOnnxModel.ts';
import { feeds } from '../src/onnx/runtime/feeds.ts';
import { createSession } from '../src/onnx/runtime/session.ts';
import { readGraph } from '../src/onnx/proto/readGraph.ts';
import { writeGraph } from '../src/onnx/proto/writeGraph.ts';
import type { Benchmark, Measurement } from './benchmark.ts';
import { cpuRatio, interleave, median, sample } from './measure.ts';
import { noExport, onnxFiles } from './onnxFiles.ts';
import { timeInRuns } from './timeInRuns.ts';

const megabyte = 2 ** 20;
const options = { threads: 1, contextLength: 2048 };

/** Any ids do: nothing in a transformer is faster for some words than for others. */
function promptOf(length: number, variation = 0): Int32Array {
  return Int32Array.from({ length }, (_, index) => 100 + ((index * 37 + variation) % 5000));
}

/** A real-size export (`onnxFiles.ts`): taps, gradients and opening against ONNX Runtime's own session on the same file. */
export const onnxSpeed: Benchmark = {
  id: 'onnx',
  title: 'ONNX: an export of the bundled model, fp32 and int4',
  async run({ onnxMemoryChild }) {
    const files = onnxFiles();
    if (files.length === 0) return [noExport];
    const measurements: Measurement[] = [];
    for (const { file, label } of files) {
      measurements.push(...(await opening(file, label)), ...(await memory(onnxMemoryChild, file, label)));
      const model = await openOnnxModel(file, options);
      const own = await ownSession(file);
      try {
        measurements.push(...(await taps(model, own, label)), ...(await gradients(model, own, label)));
      } finally {
        await own.release();
        await model.dispose();
      }
    }
    return measurements;
  },
};

/** The file as an application runs it: a session of its own, all logits of all positions. */
interface OwnSession {
  run(tokens: Int32Array): Promise<unknown>;
  release(): Promise<void>;
}

async function ownSession(file: string): Promise<OwnSession> {
  const graph = readGraph(file);
  const session = await createSession(writeGraph(graph, { outputs: ['logits'] }), graph.folder, { threads: 1 });
  return {
    run: (tokens) => session.run(feeds(graph.inputs, [...tokens])),
    release: () => session.release(),
  };
}

/** Of a fresh process. */
async function memory(child: string, file: string, label: string): Promise<Measurement[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [child, file, '500']);
  const peak = JSON.parse(stdout) as { readonly captured: number; readonly gradient: number };
  const unit = 'MB';
  return [
    { quantity: `${label}: peak, opened and captured`, value: peak.captured / megabyte, unit, goal: { atMost: 768 } },
    { quantity: `${label}: peak, then a gradient of 500 tokens`, value: peak.gradient / megabyte, unit, goal: { atMost: 2048 } },
  ];
}

async function opening(file: string, label: string): Promise<Measurement[]> {
  const graph = readGraph(file);
  const bytes = writeGraph(graph, { outputs: ['logits'] });
  const plain = async () => {
    const session = await createSession(bytes, graph.folder, { threads: 1 });
    await session.release();
  };
  const whole = async () => {
    const model = await openOnnxModel(file, options);
    await model.forward({ tokens: promptOf(8), capture: [{ site: { kind: 'resid_post', layer: 0 } }] });
    await model.dispose();
  };
  const { a, b } = await interleave(3, whole, plain);
  return [
    { quantity: `${label}: session of the file`, value: median(b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
    { quantity: `${label}: opened, and the first pass with a tap`, value: median(a.map(({ cpu }) => cpu)), unit: 'CPU ms' },
    { quantity: `${label}: opening by session`, value: cpuRatio({ a, b }), unit: '×', goal: { atMost: 1.2 } },
    { quantity: `${label}: resident memory now`, value: process.memoryUsage().rss / megabyte, unit: 'MB' },
  ];
}

async function taps(model: Model, own: OwnSession, label: string): Promise<Measurement[]> {
  const tokens = promptOf(200);
  const read = [{ position: 199, ids: [0] }];
  const layers = Array.from({ length: model.info.layers }, (_, layer) => layer);
  const capture: CaptureRequest[] = layers.flatMap((layer) => [
    { site: { kind: 'resid_post' as const, layer } },
    { site: { kind: 'pattern' as const, layer } },
  ]);
  const tapped = () => model.forward({ tokens, read, capture });
  const what = `${label}: taps of residuals and attention, 200 tokens`;
  const byNone = await interleave(5, tapped, () => model.forward({ tokens, read }));
  const byOwn = await interleave(5, tapped, () => own.run(tokens));
  return [
    { quantity: `${what}, by a pass of ours without`, value: cpuRatio(byNone), unit: '×' },
    { quantity: `${what}, by the file's session`, value: cpuRatio(byOwn), unit: '×', goal: { atMost: 1.1 } },
  ];
}

async function gradients(model: Model, own: OwnSession, label: string): Promise<Measurement[]> {
  const measurements: Measurement[] = [];
  for (const length of [50, 200, 500]) {
    const tokens = promptOf(length);
    const last = length - 1;
    const gradient = () =>
      model.gradient({
        tokens,
        targets: [{ kind: 'logprob', terms: [{ position: last, id: 5, weight: 1 }] }],
        at: [{ kind: 'embed' }],
      });
    const forward = () => model.forward({ tokens, read: [{ position: last, ids: [5] }] });
    await forward();
    const first = await sample(gradient);
    const runs = await interleave(3, gradient, forward);
    const byOwn = await interleave(3, gradient, () => own.run(tokens));
    const warm = [];
    for (let round = 0; round < 5; round++) warm.push(await timeInRuns(gradient));
    const goal = { atMost: label === 'int4' ? 3 : 2 };
    measurements.push(
      { quantity: `${label}: forward pass, ${length} tokens`, value: median(runs.b.map(({ cpu }) => cpu)), unit: 'CPU ms' },
      { quantity: `${label}: gradient by a pass of ours, ${length} tokens`, value: cpuRatio(runs), unit: '×' },
      { quantity: `${label}: gradient by a pass of the file's session`, value: cpuRatio(byOwn), unit: '×', goal },
      { quantity: `${label}: first gradient of this length`, value: first.cpu, unit: 'CPU ms', goal: { atMost: 4000 } },
      { quantity: `${label}: warm gradient of this length`, value: median(warm.map(({ cpu }) => cpu)), unit: 'CPU ms' },
      {
        quantity: `${label}: of it, beside ONNX Runtime's run`,
        value: median(warm.map(({ cpu, inRuns }) => cpu - inRuns)),
        unit: 'CPU ms',
        goal: { atMost: 50 },
      },
    );
  }
  measurements.push({
    quantity: `${label}: resident memory after gradients`,
    value: process.memoryUsage().rss / megabyte,
    unit: 'MB',
  });
  return measurements;
}
