/** A what-if on cases, beside the whole prompt on the same cases. */
import { wilsonInterval } from '../../attribution/surrogate/proportion.ts';
import { meanInterval, meanOf } from '../faithfulness/interval.ts';
import type { LabelledAnswer } from './measuredConfusion.ts';

export interface WhatIfOutcome {
  readonly id: string;
  readonly label: string;
  readonly saved: number;
  readonly accuracy: number;
  /** 95 %, Wilson. */
  readonly accuracyInterval: readonly [number, number];
  /** Accuracy minus that of the whole prompt on the same cases, and the 95 % bootstrap interval of this difference. */
  readonly change: number;
  readonly changeInterval: readonly [number, number];
  /** Share of the cases answered as with the whole prompt. */
  readonly agreement: number;
}

export function compared(whole: readonly LabelledAnswer[], then: readonly LabelledAnswer[], seed: number) {
  const hits = then.filter(isRight).length;
  const differences = then.map((answer, index) => Number(isRight(answer)) - Number(isRight(whole[index] as LabelledAnswer)));
  return {
    accuracy: hits / then.length,
    accuracyInterval: wilsonInterval(hits, then.length),
    change: meanOf(differences),
    changeInterval: meanInterval(differences, seed),
    agreement: meanOf(then.map((answer, index) => Number(chosen(answer) === chosen(whole[index] as LabelledAnswer)))),
  };
}

/** The class that is answered. */
export function chosen({ probabilities }: LabelledAnswer): number {
  return probabilities.indexOf(Math.max(...probabilities));
}

export function isRight(answer: LabelledAnswer): boolean {
  return chosen(answer) === answer.label;
}
