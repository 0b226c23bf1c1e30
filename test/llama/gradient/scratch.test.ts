import { test } from 'vitest';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import { bundledModel, goldenCase, maximumDifference } from '../golden.ts';
const cpu = async (f: () => unknown) => { const c = process.cpuUsage(); await f(); const d = process.cpuUsage(c); return Math.round((d.user + d.system) / 1e3); };
test('bundled', async () => {
  const model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 0 });
  const t = Number(process.env.T ?? 50);
  const tokens = Int32Array.from({ length: t }, (_, i) => (i * 7919 + 1013) % 49152);
  const position = t - 1;
  const plain = await model.forward({ tokens, logits: 'last' });
  const row = plain.logits!.values;
  for (const precision of ['as-served', 'dequantised'] as const) {
    const one = () => model.gradient({ tokens, precision, targets: [{ kind: 'logit', terms: [{ position, id: 5, weight: 1 }] }], at: [{ kind: 'embed' }] });
    const r = await one();
    console.log(precision, 'bit equal', Object.is(Math.fround(r.targets[0]!.value), row[5]), r.targets[0]!.value, row[5], r.plan);
    const times = [];
    for (let i = 0; i < 3; i++) times.push([await cpu(() => model.forward({ tokens, logits: 'last' })), await cpu(one)]);
    console.log(precision, 'decode/gradient cpu ms', JSON.stringify(times));
  }
  const rss = (await import('node:fs')).readFileSync('/proc/self/status', 'utf8').match(/VmHWM:.*|VmRSS:.*/g);
  console.log(rss);
  await model.dispose();
}, 600000);
