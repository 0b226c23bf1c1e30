import type { Unit } from '../../shared/tokens.ts';
import type { StatedWord } from './parseExplanation.ts';

/** A word of the prompt however it is written there, with all its places. */
export interface WordForm {
  readonly form: string;
  /** Indices of the units that spell it. */
  readonly places: readonly number[];
  /** Its own units' largest measured effect, as a magnitude. */
  readonly measured: number;
  /** 1 = named first; null: not named. */
  readonly statedRank: number | null;
}

/** Lower case, without punctuation around it. */
export function wordForm(text: string): string {
  return text.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, '');
}

/**
 * The prompt's words with what was stated and what was measured of each. A stated phrase names each of its words.
 * @param scores one per unit @returns invented: stated words that the prompt does not hold
 */
export function compareWords(
  units: readonly Unit[],
  isShown: (unit: Unit) => boolean,
  scores: ArrayLike<number>,
  stated: readonly StatedWord[],
): { readonly forms: readonly WordForm[]; readonly invented: readonly string[] } {
  const places = new Map<string, number[]>();
  units.forEach((unit, index) => {
    const form = wordForm(unit.label);
    if (isShown(unit) && form !== '') places.set(form, [...(places.get(form) ?? []), index]);
  });
  const named: string[] = [];
  const invented: string[] = [];
  for (const { word } of stated) {
    for (const form of word.split(/\s+/u).map(wordForm)) {
      if (form === '' || named.includes(form) || invented.includes(form)) continue;
      (places.has(form) ? named : invented).push(form);
    }
  }
  const forms = [...places].map(([form, own]): WordForm => {
    const rank = named.indexOf(form);
    const measured = Math.max(...own.map((index) => Math.abs(scores[index] ?? 0)));
    return { form, places: own, measured, statedRank: rank < 0 ? null : rank + 1 };
  });
  return { forms, invented };
}
