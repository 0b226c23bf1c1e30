import type { BuildOptions } from 'esbuild';

export const outputs: readonly BuildOptions[];
/** The output with an entry of this name. Throws when there is none. */
export function outputNamed(name: string): BuildOptions;
