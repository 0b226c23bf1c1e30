import type { Benchmark } from './benchmark.ts';
import { attentionScroll } from './attentionScroll.ts';
import { captureOverhead } from './captureOverhead.ts';
import { firstTint } from './firstTint.ts';
import { gradientMemory } from './gradientMemory.ts';
import { gradientProfile } from './gradientProfile.ts';
import { firstGradient, gradientSpeed } from './gradientSpeed.ts';
import { lensCost } from './lensCost.ts';
import { onnxOcclusion } from './onnxOcclusion.ts';
import { onnxSpeed } from './onnxSpeed.ts';
import { guidedOcclusionSpeed } from './guidedOcclusion.ts';
import { occlusionReuse } from './occlusionReuse.ts';
import { overlayUpdate } from './overlayUpdate.ts';
import { patchingCost } from './patchingCost.ts';
import { peakMemory } from './peakMemory.ts';
import { randomAblations } from './randomAblations.ts';

export const benchmarks: readonly Benchmark[] = [
  captureOverhead,
  occlusionReuse,
  guidedOcclusionSpeed,
  randomAblations,
  firstTint,
  overlayUpdate,
  attentionScroll,
  peakMemory,
  gradientSpeed,
  firstGradient,
  gradientMemory,
  gradientProfile,
  lensCost,
  patchingCost,
  onnxSpeed,
  onnxOcclusion,
];
