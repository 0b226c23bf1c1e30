/** Numbers as a reader wants them: signed scores, probabilities, durations, sizes. */

/** Three significant digits, always with its sign: `+8.21`, `−0.0312`, `0`. */
export function signed(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  const digits = magnitude >= 1e5 || magnitude < 1e-4 ? magnitude.toExponential(2) : String(Number(magnitude.toPrecision(3)));
  return (value < 0 ? '−' : '+') + digits;
}

/** A log-probability in nats as a percentage. */
export function percentOfLogprob(logprob: number): string {
  return percent(Math.exp(logprob));
}

export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1 %';
  return `${value.toFixed(1)} %`;
}

export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const units = ['KB', 'MB', 'GB', 'TB'];
  let value = count / 1024;
  let index = 0;
  while (value >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${value.toFixed(1)} ${units[index] ?? ''}`;
}
