/** The runs the gradient benchmarks compare, on one opened model: token ids as `bench/peers.py` has them, a next-token logit, the embeddings. */
import { type OpenLlamaOptions, openLlamaModel } from '../src/llama/openLlamaModel.ts';
import type { GradientRequest } from '../src/model/gradient.ts';
import type { Model, Precision } from '../src/model/model.ts';
import { openOnnxModel } from '../src/onnx/openOnnxModel.ts';
import type { Site } from '../src/model/sites.ts';

const explained = 5;

export interface GradientRuns {
  readonly model: Model;
  readonly tokens: Int32Array;
  /** llama.cpp's own pass. */
  readonly decode: () => Promise<unknown>;
  /** Our copy of the pass, without a backward one; of an ONNX file the pass itself. */
  readonly forward: (precision: Precision) => Promise<unknown>;
  readonly gradient: (precision: Precision) => Promise<unknown>;
  /** Integrated gradients. */
  readonly path: (precision: Precision, steps: number) => Promise<unknown>;
}

export interface GradientRunOptions {
  readonly threads: number;
  /** `ggml`: without our own kernel. */
  readonly kernel: NonNullable<OpenLlamaOptions['gradientKernel']>;
  readonly weightBytes?: number | undefined;
}

export async function openGradientRuns(
  file: string,
  count: number,
  { threads, kernel, weightBytes }: GradientRunOptions,
): Promise<GradientRuns> {
  const options = { threads, contextLength: 2048, ...(weightBytes === undefined ? {} : { weightBytes }) };
  const isOnnx = file.endsWith('.onnx');
  const model: Model = isOnnx
    ? await openOnnxModel(file, options)
    : await openLlamaModel(file, { ...options, gradientKernel: kernel });
  const { vocabulary } = model.info;
  const tokens = Int32Array.from({ length: count }, (_, index) => (index * 7919 + 1013) % vocabulary);
  const position = count - 1;
  const request = (precision: Precision, at: readonly Site[]): GradientRequest => ({
    tokens,
    precision,
    targets: [{ kind: 'logit', terms: [{ position, id: explained, weight: 1 }] }],
    at,
  });
  const embed: Site = { kind: 'embed' };
  const decode = () => model.forward({ tokens, read: [{ position, ids: [explained] }] });
  return {
    model,
    tokens,
    decode,
    forward: (precision) => (isOnnx ? decode() : model.gradient(request(precision, []))),
    gradient: (precision) => model.gradient(request(precision, [embed])),
    async path(precision, steps) {
      const { captured } = await model.forward({ tokens, capture: [{ site: embed }] });
      const to = captured.get('embed')?.data ?? new Float32Array();
      return await model.gradientAlong({
        tokens,
        precision,
        target: { kind: 'logit', terms: [{ position, id: explained, weight: 1 }] },
        at: [embed],
        from: new Float32Array(to.length).fill(0.01),
        to,
        points: Array.from({ length: steps }, (_, step) => ({ fraction: (step + 0.5) / steps, weight: 1 / steps })),
      });
    },
  };
}
