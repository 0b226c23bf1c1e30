/** Our own kernel for products in F32. */
import type { Pointer } from './functions.ts';

export interface Kernel {
  readonly variant: string;
  readonly matmul: Pointer;
  readonly softmaxBack: Pointer;
  readonly swigluBack: Pointer;
  /** Working memory of each thread. */
  readonly scratchBytes: number;
}

export function loadKernel(): { readonly kernel: Kernel | null; readonly reason: string } {
  return { kernel: null, reason: 'not built yet' };
}
