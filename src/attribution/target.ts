/** A target made concrete: which tokens follow the prompt, which rows of logits are read, and how one number comes of them. */
import type { RowRead, RowResult } from '../model/model.ts';
import type { Explanation } from '../shared/explanation.ts';

export interface ResolvedTarget {
  /** What the explanation states about it; `value` is filled in by the first run. */
  readonly description: Omit<Explanation['target'], 'value'>;
  /** Teacher-forced tokens appended to the prompt (empty when only the next token is read). */
  readonly continuation: Int32Array;
  /** Rows to read when the prompt part has `promptLength` tokens. */
  reads(promptLength: number): readonly RowRead[];
  /** The explained number, in `description.unit`. */
  value(rows: readonly RowResult[]): number;
}
