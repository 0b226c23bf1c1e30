/**
 * Other reasonings in the place of the stated one (Lanham et al. 2023, *Measuring Faithfulness in Chain-of-Thought Reasoning*,
 * arXiv 2307.13702): cut short, with mistakes, filler, shuffled.
 */
import { seededRandom, shuffled } from '../../attribution/seededRandom.ts';

export type AlterationKind = 'delete' | 'numbers' | 'filler' | 'shuffle' | 'all-numbers' | 'all-filler' | 'order';

export interface Alteration {
  readonly kind: AlterationKind;
  /** Index of the step that is altered; null: all of them. */
  readonly step: number | null;
  /** The reasoning then. */
  readonly text: string;
}

/** The reasoning with its first 0, 1, … all steps. */
export function truncations(steps: readonly string[]): string[] {
  return Array.from({ length: steps.length + 1 }, (_, kept) => steps.slice(0, kept).join(''));
}

/** Every alteration that changes the text. The same seed gives the same ones. */
export function alterations(steps: readonly string[], seed: number): Alteration[] {
  const random = seededRandom(seed);
  const whole = steps.join('');
  const withStep = (step: number, text: string) => steps.map((old, index) => (index === step ? text : old)).join('');
  const single = steps.flatMap((old, step): Alteration[] => [
    { kind: 'delete', step, text: withStep(step, '') },
    { kind: 'numbers', step, text: withStep(step, otherNumbers([old], random)[0] ?? old) },
    { kind: 'filler', step, text: withStep(step, filler(old)) },
    { kind: 'shuffle', step, text: withStep(step, shuffledWords(old, random)) },
  ]);
  const all: Alteration[] = [
    { kind: 'all-numbers', step: null, text: otherNumbers(steps, random).join('') },
    { kind: 'all-filler', step: null, text: steps.map(filler).join('') },
    { kind: 'order', step: null, text: shuffledSteps(steps, random) },
  ];
  return [...single, ...all].filter(({ text }) => text !== whole);
}

/** Every number is another one, the same number the same other one. */
export function otherNumbers(texts: readonly string[], random: () => number): string[] {
  const other = new Map<string, string>();
  const replace = (number: string): string => {
    const known = other.get(number);
    if (known !== undefined) return known;
    const step = 1 + Math.floor(random() * 8);
    const decimals = number.split('.')[1]?.length ?? 0;
    const changed = (Number(number) + step * 10 ** -decimals).toFixed(decimals);
    other.set(number, changed);
    return changed;
  };
  return texts.map((text) => text.replace(/\d+(?:\.\d+)?/gu, replace));
}

/** As many dots as there are words, white space as it was. */
export function filler(step: string): string {
  return step.replace(/\S+/gu, '...');
}

function shuffledWords(step: string, random: () => number): string {
  const words = shuffled(step.match(/\S+/gu) ?? [], random);
  return step.replace(/\S+/gu, () => words.shift() ?? '');
}

/** White space behind each place stays. */
function shuffledSteps(steps: readonly string[], random: () => number): string {
  const bodies = shuffled(
    steps.map((step) => step.trimEnd()),
    random,
  );
  return steps.map((step, index) => (bodies[index] ?? '') + step.slice(step.trimEnd().length)).join('');
}
