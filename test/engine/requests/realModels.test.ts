/** The main job on real files: the bundled model, and one whose weights hold a NaN. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { explain } from '../../../src/engine/requests/explain.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import { explanationSchema } from '../../../src/shared/explanation.ts';
import type { ExplainRequest } from '../../../src/shared/protocol/engine.ts';
import { writeNanModel } from '../../llama/gguf/nanModel.ts';
import { bundledModel } from '../../llama/golden.ts';
import { recordRequest } from './requestRecorder.ts';

const request: ExplainRequest = {
  prompt: { text: 'The capital of France is', format: 'text', mode: 'raw' },
  method: 'occlusion',
  target: { kind: 'next' },
  granularity: 'word',
  maxTokens: 2,
  seed: 1,
  progressive: true,
};

test('the bundled model says Paris, and the words that say so', async () => {
  const model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 256 });
  try {
    const recorder = recordRequest(model);
    const first = await explain(recorder, request);
    expect(v.is(explanationSchema, JSON.parse(JSON.stringify(first)))).toBe(true);
    expect(first.response.text).toBe(' Paris.');
    expect(first.target.label).toBe(' Paris');
    expect(first.units.map((unit) => unit.kind)).toEqual(['sink', 'text', 'text', 'text', 'text']);
    expect(first.faithfulness).not.toBeNull();
    expect(recorder.partials[0]?.stage).toBe('attention');
    // Another prompt in between changes nothing.
    await explain(recordRequest(model), {
      ...request,
      prompt: { ...request.prompt, text: 'Two and two make' },
      faithfulness: false,
    });
    const again = await explain(recordRequest(model), request);
    const timeless = ({ cost, faithfulness, ...rest }: typeof first) =>
      JSON.stringify({
        ...rest,
        cost: cost.forwardPasses,
        faithfulness: { ...faithfulness, cost: faithfulness?.cost?.forwardPasses },
      });
    expect(timeless(again)).toBe(timeless(first));
  } finally {
    await model.dispose();
  }
});

test('a model that yields NaN is named with the place where it begins', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'loupe-nan-'));
  const model = await openLlamaModel(await writeNanModel(folder), { threads: 1, contextLength: 64 });
  try {
    const failed = explain(recordRequest(model), {
      ...request,
      prompt: { text: '', format: 'text', mode: 'raw', ids: [5, 6, 7] },
    });
    await expect(failed).rejects.toMatchObject({
      code: 'E_NUMERIC',
      message: expect.stringMatching(/\.1 is not a finite number/) as string,
    });
  } finally {
    await model.dispose();
    await rm(folder, { recursive: true, force: true });
  }
});
