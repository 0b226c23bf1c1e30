/**
 * A probability that somebody wrote: `0.8`, `80 %`, `80%`, `8/10`, `8 out of 10`, `80` (taken for percent).
 * @returns null for what is none, or lies outside [0, 1]
 */
export function confidenceOf(value: unknown): number | null {
  if (typeof value === 'number') return scaled(value, null);
  if (typeof value !== 'string') return null;
  const match = /(?<![\d.])(\d+(?:\.\d+)?)\s*(?:(%|percent)|(?:\/|out of)\s*(\d+))?/iu.exec(value);
  if (match === null) return null;
  const [, number = '', percent, of] = match;
  return scaled(Number(number), percent !== undefined ? 100 : of !== undefined ? Number(of) : null);
}

/** The first confidence that a text states: behind a word that says so, else the only number of a short answer. */
export function statedConfidence(text: string): number | null {
  const named = /(?:confidence|confident|certainty|certain|sure|probability)[^\d\r\n]{0,30}(\d[^\r\n]{0,20})/iu.exec(text)?.[1];
  const before = /(\d+(?:\.\d+)?\s*(?:%|percent)?)\s*(?:confident|certain|sure)/iu.exec(text)?.[1];
  const alone = /^\W*(\d+(?:\.\d+)?\s*(?:%|percent|\/\s*\d+|out of\s*\d+)?)\W*(?:[\r\n]|$)/iu.exec(text.trim())?.[1];
  return confidenceOf(before ?? named ?? alone);
}

/** @param of what counts as certain; null: 1, or 100 for numbers above 1 */
function scaled(value: number, of: number | null): number | null {
  const share = value / (of ?? (value > 1 ? 100 : 1));
  return Number.isFinite(share) && share >= 0 && share <= 1 ? share : null;
}
