import { openOnnxModel } from '../src/onnx/openOnnxModel.ts';
import type { Benchmark, Measurement } from './benchmark.ts';
import { reuseOf } from './occlusionReuse.ts';
import { noExport, onnxFiles } from './onnxFiles.ts';

/** The same as `occlusion-reuse` on an export that takes keys and values. */
export const onnxOcclusion: Benchmark = {
  id: 'onnx-occlusion',
  title: 'ONNX, exhaustive occlusion, 32 units of 200 tokens: prefix reuse against 32 full decodes',
  async run() {
    const measurements: Measurement[] = [];
    for (const { file, label } of onnxFiles()) {
      const model = await openOnnxModel(file, { threads: 1, contextLength: 2048 });
      try {
        if (model.info.sharesBeginnings) measurements.push(...(await reuseOf(model, `${label}: `)));
        else measurements.push({ quantity: `${label}: not run: export it with cache`, value: 0, unit: '' });
      } finally {
        await model.dispose();
      }
    }
    return measurements.length === 0 ? [noExport] : measurements;
  },
};
