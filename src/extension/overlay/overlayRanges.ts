/** Scores to the runs of a document that carry one tint. Pure, so that tests and benchmarks can call it. */
import { type PaletteStep, paletteStep } from '../../shared/colourScale.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { TextRange } from '../../shared/tokens.ts';
import type { Alignment } from './alignment.ts';

export type OverlayStep = PaletteStep | 'stale';

export interface OverlayOptions {
  /** Draw special, template and sink units too. */
  readonly showHidden: boolean;
  /** 1 = the largest score gets the strongest tint; 2 = half the largest does. */
  readonly intensity: number;
}

/** Whether a unit's score is the author's own text, or asked to be seen all the same. */
export function isVisible(kind: Explanation['units'][number]['kind'], showHidden: boolean): boolean {
  return showHidden || kind === 'text';
}

/** The largest |score| among the visible units, in the target's unit. */
function largestScore(explanation: Pick<Explanation, 'units' | 'scores'>, showHidden: boolean): number {
  let largest = 0;
  explanation.units.forEach((unit, index) => {
    const score = explanation.scores[index] ?? 0;
    if (isVisible(unit.kind, showHidden) && Number.isFinite(score)) largest = Math.max(largest, Math.abs(score));
  });
  return largest;
}

/** The unit each prompt token belongs to, −1 for none. */
export function unitOfToken(explanation: Pick<Explanation, 'units' | 'tokens'>): Int32Array {
  const owner = new Int32Array(explanation.tokens.length).fill(-1);
  explanation.units.forEach((unit, index) => {
    for (const token of unit.tokens) owner[token] = index;
  });
  return owner;
}

/** The palette step of each unit; 0 = unmarked. */
function unitSteps(explanation: Pick<Explanation, 'units' | 'scores'>, options: OverlayOptions): PaletteStep[] {
  const maximum = largestScore(explanation, options.showHidden) / Math.max(options.intensity, 0.01);
  return explanation.units.map((unit, index) =>
    isVisible(unit.kind, options.showHidden) ? paletteStep(explanation.scores[index] ?? 0, maximum) : 0,
  );
}

/**
 * Document ranges by step: ascending, without overlap, neighbours of one step merged. Runs of one document range
 * (tokens that hold parts of one character) count once, with the strongest step.
 */
export function overlayRanges(
  explanation: Pick<Explanation, 'units' | 'scores' | 'tokens'>,
  alignment: Alignment,
  options: OverlayOptions,
): Map<OverlayStep, TextRange[]> {
  const steps = unitSteps(explanation, options);
  const owner = unitOfToken(explanation);
  const marks = new Float32Array(explanation.tokens.length);
  owner.forEach((unit, token) => {
    marks[token] = unit < 0 ? 0 : (steps[unit] ?? 0);
  });
  return rangesOfMarks(marks, alignment, (token) => explanation.units[owner[token] ?? -1]);
}

/** Weights of one attention row or column over the prompt's tokens, drawn with the positive half of the palette. */
export function weightRanges(weights: ArrayLike<number>, alignment: Alignment, intensity: number): Map<OverlayStep, TextRange[]> {
  const finite = Array.from(weights, (weight) => (Number.isFinite(weight) ? weight : 0));
  const maximum = finite.reduce((largest, weight) => Math.max(largest, Math.abs(weight)), 0) / Math.max(intensity, 0.01);
  const marks = Float32Array.from(finite, (weight) => paletteStep(weight, maximum));
  return rangesOfMarks(marks, alignment, () => undefined);
}

/** `unitOf` gives the unit a token is clipped to, in offsets of the prompt: white space around a word is not drawn. */
function rangesOfMarks(
  marks: Float32Array,
  alignment: Alignment,
  unitOf: (token: number) => TextRange | undefined,
): Map<OverlayStep, TextRange[]> {
  const byStep = new Map<OverlayStep, TextRange[]>();
  let open: { step: OverlayStep; start: number; end: number } | null = null;
  const close = () => {
    if (open === null) return;
    const ranges = byStep.get(open.step);
    if (ranges === undefined) byStep.set(open.step, [{ start: open.start, end: open.end }]);
    else ranges.push({ start: open.start, end: open.end });
    open = null;
  };
  let covered = 0;
  for (let index = 0; index < alignment.token.length; index += 1) {
    const token = alignment.token[index] ?? 0;
    const stale = alignment.stale[index] === 1;
    let mark = marks[token] ?? 0;
    const promptStart = alignment.promptStart[index] ?? 0;
    const whole = { start: alignment.start[index] ?? 0, end: alignment.end[index] ?? 0 };
    while ((alignment.end[index + 1] ?? -1) === whole.end && (alignment.start[index + 1] ?? -1) === whole.start) {
      index += 1;
      const other = marks[alignment.token[index] ?? 0] ?? 0;
      if (Math.abs(other) > Math.abs(mark)) mark = other;
    }
    const clipped = stale ? whole : clip(whole, promptStart, unitOf(token));
    const start = Math.max(covered, clipped.start);
    const { end } = clipped;
    if (end <= start) continue;
    covered = end;
    const step: OverlayStep = stale ? 'stale' : (mark as PaletteStep);
    if (step === 0) {
      close();
      continue;
    }
    if (open !== null && open.step === step && open.end === start) {
      open.end = end;
      continue;
    }
    close();
    open = { step, start, end };
  }
  close();
  return byStep;
}

/** The part of a run that its unit covers. The run is not edited, so a distance in the prompt is one in the document. */
function clip(run: TextRange, promptStart: number, unit: TextRange | undefined): TextRange {
  if (unit === undefined || unit.end <= unit.start) return run;
  const shift = run.start - promptStart;
  return { start: Math.max(run.start, unit.start + shift), end: Math.min(run.end, unit.end + shift) };
}
