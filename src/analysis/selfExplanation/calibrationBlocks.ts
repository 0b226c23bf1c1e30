import type { Block, CurveBlock, TableBlock } from '../../shared/inspection/blocks.ts';
import type { Calibration, JudgedCase } from './calibrationCases.ts';
import { interval, percent } from './shares.ts';

export interface CalibrationFindings {
  readonly judged: readonly JudgedCase[];
  /** Of the stated confidence (replies with a number) and of the model's own probability (all cases). */
  readonly calibrations: { readonly stated: Calibration | null; readonly probability: Calibration | null };
}

/** The curve, its measures, its bins and the cases behind them. */
export function calibrationBlocks({ judged, calibrations: { stated, probability } }: CalibrationFindings): Block[] {
  if (judged.length === 0) return [];
  const named = [
    { label: 'stated confidence', calibration: stated },
    { label: 'own probability', calibration: probability },
  ].flatMap(({ label, calibration }) => (calibration === null ? [] : [{ label, calibration }]));
  return [reliabilityCurve(named), measures(named), binTable(named), caseTable(judged)];
}

type Named = readonly { readonly label: string; readonly calibration: Calibration }[];

function reliabilityCurve(named: Named): CurveBlock {
  return {
    kind: 'curve',
    title: 'Reliability',
    caption: 'Accuracy of the answers by confidence; on the diagonal what is said with 70 % is right in 70 %.',
    x: 'confidence',
    y: 'accuracy',
    diagonal: true,
    series: named.map(({ label, calibration }) => ({
      label,
      points: calibration.bins
        .filter(({ count }) => count > 0)
        .map(({ confidence, accuracy }) => [confidence, accuracy] as const),
    })),
  };
}

function measures(named: Named): TableBlock {
  return {
    kind: 'table',
    title: 'Calibration',
    caption: 'ECE and Brier: 0 is best. AUROC: 0.5 = confidence does not tell right from wrong; 95 % interval.',
    columns: [
      { label: 'Confidence' },
      { label: 'Cases', numeric: true },
      { label: 'Accuracy', numeric: true },
      { label: 'ECE', numeric: true },
      { label: 'Brier', numeric: true },
      { label: 'AUROC' },
    ],
    rows: named.map(({ label, calibration: { count, accuracy, error, brier, auroc } }) => ({
      cells: [
        label,
        count,
        accuracy,
        error,
        brier,
        auroc === null
          ? 'all answers alike'
          : `${auroc.area.toFixed(2)} (${auroc.interval[0].toFixed(2)} to ${auroc.interval[1].toFixed(2)})`,
      ],
    })),
  };
}

function binTable(named: Named): TableBlock {
  return {
    kind: 'table',
    title: 'Bins that hold cases',
    columns: [
      { label: 'Confidence' },
      { label: 'From', numeric: true },
      { label: 'To', numeric: true },
      { label: 'Cases', numeric: true },
      { label: 'Mean confidence', numeric: true },
      { label: 'Accuracy', numeric: true },
      { label: '95 % interval' },
    ],
    rows: named.flatMap(({ label, calibration }) =>
      calibration.bins
        .filter(({ count }) => count > 0)
        .map((bin) => ({
          cells: [label, bin.from, bin.to, bin.count, bin.confidence, bin.accuracy, interval(bin.interval)],
        })),
    ),
  };
}

function caseTable(judged: readonly JudgedCase[]): TableBlock {
  return {
    kind: 'table',
    title: 'Cases',
    columns: [
      { label: 'Prompt' },
      { label: 'Answer' },
      { label: 'Right' },
      { label: 'Stated' },
      { label: 'Own probability', numeric: true },
    ],
    rows: judged.map(({ prompt, answered, isRight, stated, reply, probability }) => ({
      cells: [
        shortened(prompt),
        shortened(answered.trim()),
        isRight ? 'yes' : 'no',
        stated === null ? `no number in ${JSON.stringify(shortened(reply.trim()))}` : percent(stated),
        probability,
      ],
    })),
  };
}

function shortened(text: string): string {
  const line = text.replace(/\s+/gu, ' ');
  return line.length <= 48 ? line : `${line.slice(0, 47)}…`;
}
