import { readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';

/**
 * Native threads when the user names none: all physical cores but one. ggml's threads spin at a barrier after every operation, so a
 * single core that is busy with something else (the editor, a browser) stalls all of them: measured on two cores with the editor
 * open, two threads took forty times as long as one.
 */
export function defaultThreads(): number {
  return Math.max(1, physicalCores() - 1);
}

/**
 * Physical processor cores this process may use. Two threads on one core only make ggml's spinning barrier wait,
 * so hardware threads are not counted.
 */
function physicalCores(): number {
  const logical = os.availableParallelism();
  const physical = process.platform === 'linux' ? linuxCores() : null;
  if (physical !== null) return Math.max(1, Math.min(physical, logical));
  // Apple's and other ARM processors have one thread a core; x64 ones usually two.
  return process.arch === 'x64' ? Math.max(1, Math.ceil(logical / 2)) : logical;
}

function linuxCores(): number | null {
  const root = '/sys/devices/system/cpu';
  try {
    const cores = new Set<string>();
    for (const name of readdirSync(root)) {
      if (!/^cpu\d+$/.test(name)) continue;
      const read = (file: string) => readFileSync(`${root}/${name}/topology/${file}`, 'utf8').trim();
      cores.add(`${read('physical_package_id')}:${read('core_id')}`);
    }
    return cores.size > 0 ? cores.size : null;
  } catch {
    return null;
  }
}
