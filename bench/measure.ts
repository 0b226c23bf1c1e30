/** Timing that holds on a busy machine: CPU time, runs interleaved, medians, ratios only between neighbours. */

export interface Sample {
  /** Processor time of the whole process, milliseconds. */
  readonly cpu: number;
  readonly wall: number;
}

export async function sample(work: () => Promise<unknown>): Promise<Sample> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1000, wall };
}

/**
 * Runs both `rounds` times in the order a b, b a, a b, … after one unmeasured round, so that a slow spell of the machine
 * falls on both.
 */
export async function interleave(
  rounds: number,
  a: (round: number) => Promise<unknown>,
  b: (round: number) => Promise<unknown>,
): Promise<{ readonly a: Sample[]; readonly b: Sample[] }> {
  const result: { a: Sample[]; b: Sample[] } = { a: [], b: [] };
  await a(0);
  await b(0);
  for (let round = 1; round <= rounds; round += 1) {
    const order = round % 2 === 1 ? (['a', 'b'] as const) : (['b', 'a'] as const);
    for (const which of order) result[which].push(await sample(() => (which === 'a' ? a(round) : b(round))));
  }
  return result;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The smallest value that this share of all values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The median over rounds of a's CPU time by b's in the same round. */
export function cpuRatio({ a, b }: { readonly a: readonly Sample[]; readonly b: readonly Sample[] }): number {
  return median(a.map(({ cpu }, round) => cpu / (b[round]?.cpu ?? Number.NaN)));
}
