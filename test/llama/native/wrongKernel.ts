/** A kernel with one operator that is wrong by a little: the real one runs, and then the first number of its result is changed. */
import koffi from 'koffi';
import { readTensorHeader } from '../../../src/llama/graph/tensorHeader.ts';
import type { Kernel } from '../../../src/llama/native/kernel.ts';

export type KernelOperator = 'matmul' | 'softmaxBack' | 'swigluBack';

const operatorType = koffi.proto('void loupe_test_operator(void* dst, int ith, int nth, void* data)');

/** For one thread only: JavaScript runs inside. Whoever asks for it calls `release` when no graph can run it any more. */
export function wrongKernel(kernel: Kernel, operator: KernelOperator): { kernel: Kernel; calls: () => number; release(): void } {
  let calls = 0;
  const callback = koffi.register((dst: bigint, ith: number, nth: number, data: bigint) => {
    calls += 1;
    koffi.call(kernel[operator], operatorType, dst, ith, nth, data);
    const { data: first } = readTensorHeader(Number(dst));
    koffi.encode(first, 'float', (koffi.decode(first, 'float') as number) + 0.5);
  }, koffi.pointer(operatorType));
  return {
    kernel: { ...kernel, [operator]: Number(koffi.address(callback)) },
    calls: () => calls,
    release: () => koffi.unregister(callback),
  };
}
