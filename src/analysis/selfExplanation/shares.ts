/** Shares as a reader sees them. */

export function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

export function interval([low, high]: readonly [number, number]): string {
  return `${percent(low)} to ${percent(high)}`;
}
