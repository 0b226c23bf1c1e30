/** Execution providers of ONNX Runtime: those that are not there are refused, the processor is what it was. */
import { listSupportedBackends } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { openOnnxModel } from '../../../src/onnx/openOnnxModel.ts';
import { proveProvider } from '../../../src/onnx/runtime/provider.ts';
import { LoupeError } from '../../../src/shared/errors.ts';
import { modelFile } from '../fixture.ts';

const tokens = Int32Array.of(17, 201, 33, 5);
const there = listSupportedBackends().map(({ name }) => name);

test.each(['abacus', 'CPU', '', `../${'x'.repeat(500)}`])('%j is refused by name, with those there are', async (provider) => {
  const opening = openOnnxModel(modelFile('llama_torch_legacy'), { threads: 1, contextLength: 0, provider });
  const error = await opening.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LoupeError);
  const { code, parts } = error as LoupeError;
  expect(code).toBe('E_ONNX_PROVIDER');
  expect(parts.why).toMatch(/none of this name/);
  for (const name of there) expect(parts.action).toContain(name);
  expect(parts.what.length).toBeLessThan(200);
});

test.each(there)('%s computes, or is refused with the reason of ONNX Runtime', async (provider) => {
  const outcome = await proveProvider(provider).then(
    () => null,
    (reason: unknown) => reason as LoupeError,
  );
  if (provider === 'cpu') expect(outcome).toBeNull();
  else if (outcome !== null) {
    expect(outcome.code).toBe('E_ONNX_PROVIDER');
    expect(outcome.parts.why.length).toBeGreaterThan(10);
  }
});

test('the processor by name gives the same bytes as by default, and is told of nowhere', async () => {
  const answers = [];
  for (const options of [{}, { provider: 'cpu' }]) {
    const model = await openOnnxModel(modelFile('llama_torch_legacy'), { threads: 1, contextLength: 0, ...options });
    const { logits } = await model.forward({ tokens, logits: 'all' });
    const targets = [{ kind: 'logprob' as const, terms: [{ position: 3, id: 5, weight: 1 }] }];
    const gradient = await model.gradient({ tokens, targets, at: [{ kind: 'embed' }] });
    expect(model.info.provider).toBeUndefined();
    answers.push([logits!.values, gradient.targets[0]!.gradients.get('embed')!.data]);
    await model.dispose();
  }
  expect(answers[1]).toEqual(answers[0]);
});
