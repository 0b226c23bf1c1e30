/** Weights that were unpacked once and given to each run: the same gradients, bit for bit. */
import { expect, test } from 'vitest';
import { unpackedWeights, withGivenWeights } from '../../../src/onnx/gradient/unpackedWeights.ts';
import { elementTypes } from '../../../src/onnx/graph/graph.ts';
import { differentiated, inputValues, open, type SmallGraph } from './smallGraph.ts';

const [rows, columns] = [3, 24];
/** The same weight twice, and one that is multiplied as it is. */
const network: SmallGraph = {
  opset: 17,
  inputs: { x: { dims: [1, 'T', columns] } },
  build: (b) => {
    const packed = b.constant(
      [rows, 2, 8],
      Uint8Array.from({ length: rows * 16 }, (_, i) => (i * 37) % 256),
    );
    const scales = b.constant([rows * 2], Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6));
    const attributes = { K: columns, N: rows, bits: 4, block_size: 16, accuracy_level: 1 };
    const product = (x: string) => b.node('MatMulNBits', [x, packed, scales], attributes, { domain: 'com.microsoft' });
    const dense = b.matMul(
      'x',
      b.constant(
        [columns, rows],
        Float32Array.from({ length: columns * rows }, (_, i) => Math.sin(i)),
      ),
    );
    return b.add(b.add(product('x'), product(b.node('Tanh', ['x']))), dense);
  },
};

test('the same gradient', async () => {
  const { graph, gradients } = await differentiated(network);
  const weights = unpackedWeights(graph);
  expect(weights).toHaveLength(1);
  const unpack = await open({ ...graph, inputs: [] }, weights);
  const values = await unpack.run({});
  await unpack.release();
  expect(values[weights[0]!]!.dims).toEqual([rows, columns]);

  const name = gradients.get('x')!;
  const seed = {
    type: elementTypes.float32,
    dims: [1, 4, rows],
    data: Float32Array.from({ length: 4 * rows }, (_, i) => Math.cos(i)),
  };
  const given = { ...inputValues(network.inputs, 4, 3), seed };
  const [plain, kept] = [await open(graph, [name]), await open(withGivenWeights(graph, weights), [name])];
  expect(kept.inputs).toContain(weights[0]);
  expect((await kept.run({ ...given, ...values }))[name]).toEqual((await plain.run(given))[name]);
  await plain.release();
  await kept.release();
});

test('nothing to unpack', async () => {
  const { graph } = await differentiated({ ...network, build: (b) => b.node('Tanh', ['x']) });
  expect(unpackedWeights(graph)).toEqual([]);
});
