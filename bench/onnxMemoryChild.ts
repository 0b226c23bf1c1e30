/** A process of its own: `onnxMemoryChild MODEL TOKENS` opens an ONNX model, captures once, takes one gradient, and prints what memory that took. */
import { openOnnxModel } from '../src/onnx/openOnnxModel.ts';

const peakBytes = () => process.resourceUsage().maxRSS * 1024;

async function main([file = '', count = '']: readonly string[]): Promise<void> {
  const model = await openOnnxModel(file, { threads: 1, contextLength: 2048 });
  const tokens = Int32Array.from({ length: Number(count) }, (_, index) => 100 + ((index * 37) % 5000));
  await model.forward({ tokens: tokens.subarray(0, 8), capture: [{ site: { kind: 'resid_post', layer: 0 } }] });
  const captured = peakBytes();
  const terms = [{ position: tokens.length - 1, id: 5, weight: 1 }];
  await model.gradient({ tokens, targets: [{ kind: 'logprob', terms }], at: [{ kind: 'embed' }] });
  const gradient = peakBytes();
  await model.dispose();
  process.stdout.write(JSON.stringify({ captured, gradient }));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
