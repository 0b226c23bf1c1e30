/** Reads the gradients PyTorch computed of the tiny models; test/fixtures/gradients/README.md says how, and what each tensor is. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { GradientTarget, TargetTerm } from '../../../src/model/gradient.ts';
import type { Tensor } from '../../../src/model/model.ts';
import type { Site } from '../../../src/model/sites.ts';

const folder = 'test/fixtures/gradients';

export const gradientFamilies = ['llama', 'qwen2', 'qwen3', 'gemma2', 'gemma3', 'phi3', 'gpt2', 'qwen3moe', 'mixtral'] as const;
export type GradientFamily = (typeof gradientFamilies)[number];

export interface GradientGolden {
  /** The F32 model. */
  readonly file: string;
  readonly tokens: Int32Array;
  /** By name: `logit`, `logprob`, `span`, … */
  readonly targets: ReadonlyMap<string, GradientTarget>;
  /** Names of the sites that the model has, `logits` among them. */
  readonly sites: readonly string[];
  /** The target's value. */
  value(target: string): number;
  /** Value of a site, in its own shape; −∞ in masked `scores`. */
  forward(site: string): Tensor;
  /** Where the gradient of a target is known. */
  sitesOf(target: string): readonly string[];
  /** d target / d site, in the site's own shape. */
  gradient(target: string, site: string): Tensor;
}

/** A target as the file has it: arrays are tensors elsewhere in the file. */
type StoredTarget =
  | { readonly kind: 'logit' | 'logprob' | 'probability' | 'joint-probability'; readonly terms: readonly TargetTerm[] }
  | { readonly kind: 'entropy'; readonly position: number }
  | {
      readonly kind: 'kl';
      readonly position: number;
      readonly reference: TensorReference;
      readonly direction: 'to-reference' | 'from-reference';
    }
  | { readonly kind: 'linear'; readonly rows: readonly { readonly position: number; readonly weights: TensorReference }[] }
  | { readonly kind: 'cotangent'; readonly site: Site; readonly values: TensorReference };

interface TensorReference {
  readonly tensor: string;
}

interface StoredGolden {
  readonly tokens: readonly number[];
  readonly targets: Readonly<Record<string, StoredTarget>>;
  readonly values: Readonly<Record<string, number>>;
  /** `offset` counts numbers, not bytes. */
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[]; readonly offset: number }[];
}

export function readGradientGolden(family: GradientFamily): GradientGolden {
  const at = (name: string) => path.join(folder, family, name);
  const stored = JSON.parse(readFileSync(at('golden.json'), 'utf8')) as StoredGolden;
  const bytes = readFileSync(at('golden.bin'));
  const numbers = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const tensors = new Map(
    stored.tensors.map(({ name, shape, offset }): [string, Tensor] => {
      const length = shape.reduce((product, size) => product * size, 1);
      return [name, { shape, data: numbers.subarray(offset, offset + length) }];
    }),
  );
  const tensor = (name: string) => found(tensors.get(name), name);
  const below = (prefix: string) =>
    [...tensors.keys()].filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return {
    file: at('model.gguf'),
    tokens: Int32Array.from(stored.tokens),
    targets: new Map(
      Object.entries(stored.targets).map(([name, target]) => [name, asTarget(target, ({ tensor: of }) => tensor(of).data)]),
    ),
    sites: below('value/'),
    value: (target) => found(stored.values[target], target),
    forward: (site) => tensor(`value/${site}`),
    sitesOf: (target) => below(`gradient/${target}/`),
    gradient: (target, site) => tensor(`gradient/${target}/${site}`),
  };
}

function asTarget(stored: StoredTarget, data: (reference: TensorReference) => Float32Array): GradientTarget {
  switch (stored.kind) {
    case 'kl':
      return { ...stored, reference: data(stored.reference) };
    case 'linear':
      return { ...stored, rows: stored.rows.map(({ position, weights }) => ({ position, weights: data(weights) })) };
    case 'cotangent':
      return { ...stored, values: data(stored.values) };
    default:
      return stored;
  }
}

function found<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`the golden has no ${name}`);
  return value;
}
