import { EngineService } from '../src/engine/service.ts';
import { openWorkerModel } from '../src/engine/workerModel.ts';
import type { ExplainRequest } from '../src/shared/protocol/engine.ts';
import type { Benchmark } from './benchmark.ts';
import { benchPrompt, type BenchPrompt } from './benchPrompt.ts';
import { interleave, median, type Sample } from './measure.ts';

const rounds = 7;
const load = { threads: 1, contextLength: 2048 };

/** From the editor's request to the first partial explanation, warm, through the real engine service and its thread. */
export const firstTint: Benchmark = {
  id: 'first-tint',
  title: 'Command → first tint, 200 tokens, warm',
  async run({ model: file, workerFile }) {
    let onPartial = () => {};
    const service = new EngineService({ workerFile, events: { partial: () => onPartial() } });
    // The yardstick: a forward pass of the same length, in a thread of the same kind.
    const yardstick = await openWorkerModel(file, { ...load, workerFile });
    try {
      await service.methods.load({ requestId: 'load', signal: new AbortController().signal }, file, load);
      const prompts: BenchPrompt[] = [];
      for (let round = 0; round <= rounds; round += 1)
        prompts.push(await benchPrompt(yardstick.tokenizer, 200, `Visitor ${round}. `));

      const tints: Sample[] = [];
      const untilTint = async (round: number) => {
        const cancel = new AbortController();
        const cpu = process.cpuUsage();
        const start = performance.now();
        const tinted = new Promise<void>((resolve) => {
          onPartial = () => {
            const { user, system } = process.cpuUsage(cpu);
            // The unmeasured round 0 is left out.
            if (round > 0) tints.push({ cpu: (user + system) / 1000, wall: performance.now() - start });
            onPartial = () => {};
            resolve();
          };
        });
        const call = { requestId: `tint-${round}`, signal: cancel.signal };
        const explained = Promise.resolve(service.methods.explain(call, request(prompts[round]?.text ?? ''))).catch(
          () => undefined,
        );
        await Promise.race([tinted, explained]);
        // What comes after the first tint is not measured; the thread must be idle before the next run.
        cancel.abort();
        await explained;
        await idle(service);
      };
      const { b: forwards } = await interleave(rounds, untilTint, (round) => {
        const tokens = prompts[round]?.tokens ?? new Int32Array();
        return yardstick.forward({ tokens, read: [{ position: tokens.length - 1, ids: [0] }] });
      });
      if (tints.length < rounds) throw new Error(`only ${tints.length} of ${rounds} runs gave a first tint`);
      const forward = median(forwards.map(({ wall }) => wall));
      const allowed = 3 * forward + 100;
      const share = median(tints.map(({ wall }, round) => wall / (3 * (forwards[round]?.wall ?? Number.NaN) + 100)));
      return [
        { quantity: 'one forward pass', value: forward, unit: 'ms' },
        { quantity: 'one forward pass', value: median(forwards.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: 'first tint', value: median(tints.map(({ wall }) => wall)), unit: 'ms' },
        { quantity: 'first tint', value: median(tints.map(({ cpu }) => cpu)), unit: 'CPU ms' },
        { quantity: '3 forward passes + 100 ms', value: allowed, unit: 'ms' },
        { quantity: 'first tint by 3 forward passes + 100 ms', value: share, unit: '×', goal: { atMost: 1 } },
      ];
    } finally {
      await yardstick.dispose();
      await service.dispose();
    }
  },
};

function request(text: string): ExplainRequest {
  return {
    prompt: { text, format: 'text', mode: 'raw' },
    method: 'occlusion',
    target: { kind: 'next' },
    granularity: 'word',
    maxTokens: 32,
    seed: 0,
    progressive: true,
  };
}

/** A request that waits its turn: when it answers, the one that was cancelled has really stopped. */
async function idle(service: EngineService): Promise<void> {
  const call = { requestId: 'idle', signal: new AbortController().signal };
  await service.methods.generate(call, {
    prompt: { text: 'a', format: 'text', mode: 'raw' },
    maxTokens: 1,
    temperature: 0,
    seed: 0,
    top: 0,
  });
}
