/** What a measure of faithfulness is. One file a measure; `measures.ts` lists them. */

/** The target's value on the prompt without these units; an empty list is the whole prompt. */
export type ValueWithout = (gone: readonly number[]) => number;

/** A picture that is measured: an explanation's, or a random one over the same units. */
export interface Picture {
  /** Indices of the ranked units, those that matter most first. */
  readonly ranking: readonly number[];
  /** [units] */
  readonly scores: ArrayLike<number>;
  /** Whether scores have a sign; else they are sizes. */
  readonly signed: boolean;
  /** Fixes what a measure draws, the same for every picture that is compared. */
  readonly seed: number;
}

export interface Measure {
  readonly id: string;
  /** One line: what the number says. */
  readonly label: string;
  readonly better: 'higher' | 'lower';
  /** Unit of the number: the target's own, or none for shares and correlations. */
  readonly unit: 'target' | 'none';
  /** `author`: what the author wrote; `sinks-too`: also units marked as sinks, as the reference set does. */
  readonly ranks: 'author' | 'sinks-too';
  /**
   * The number for one picture. Which prompts it asks for may depend on the picture and never on their values: it is called
   * twice, first to learn what to evaluate.
   */
  value(picture: Picture, valueWithout: ValueWithout): number;
}
