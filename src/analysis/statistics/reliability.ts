/** Calibration: does what is said with confidence p come true in a share p of the cases? */
import { wilsonInterval } from '../../attribution/surrogate/proportion.ts';

/** One prediction. */
export interface Judged {
  /** Probability in [0, 1] that was claimed. */
  readonly confidence: number;
  readonly isRight: boolean;
}

export interface ReliabilityBin {
  /** [from, to); the last one includes 1. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Means over the bin; 0 where it is empty. */
  readonly confidence: number;
  readonly accuracy: number;
  /** Of the accuracy, 95 %, Wilson. */
  readonly interval: readonly [number, number];
}

/** Bins of equal width over [0, 1], empty ones too. */
export function reliabilityBins(judged: readonly Judged[], bins: number): ReliabilityBin[] {
  return Array.from({ length: bins }, (_, bin) => {
    const [from, to] = [bin / bins, (bin + 1) / bins];
    // Against the borders themselves: 0.29 · 100 is rounded to less than 29.
    const inside = judged.filter(({ confidence }) => confidence >= from && (confidence < to || bin === bins - 1));
    const count = inside.length;
    const hits = inside.filter(({ isRight }) => isRight).length;
    return {
      from,
      to,
      count,
      confidence: count > 0 ? inside.reduce((sum, { confidence }) => sum + confidence, 0) / count : 0,
      accuracy: count > 0 ? hits / count : 0,
      interval: wilsonInterval(hits, count),
    };
  });
}

/** Expected calibration error: Σ share of the bin · | accuracy − confidence | (Naeini et al. 2015; Guo et al. 2017, arXiv 1706.04599). */
export function expectedCalibrationError(bins: readonly ReliabilityBin[]): number {
  const total = bins.reduce((sum, { count }) => sum + count, 0);
  if (total === 0) return 0;
  return bins.reduce((sum, { count, accuracy, confidence }) => sum + (count / total) * Math.abs(accuracy - confidence), 0);
}

/** Brier score: mean of (confidence − 1 if right, 0 if not)²; 0 is perfect, 0.25 is saying one half always (Brier 1950). @param judged not empty */
export function brierScore(judged: readonly Judged[]): number {
  return judged.reduce((sum, { confidence, isRight }) => sum + (confidence - Number(isRight)) ** 2, 0) / judged.length;
}
