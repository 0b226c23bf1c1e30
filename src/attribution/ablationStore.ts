import type { RowResult } from '../model/model.ts';

/**
 * What a model said of a whole response after a changed prompt, kept from one explanation to the next: any span of the response
 * is explained from it without asking the model again. Whoever makes one decides how much it keeps; it must not outlive the model.
 */
export interface AblationStore {
  /** The rows of the response's tokens, by the ids of what remained of the prompt and those of the response. */
  get(sequence: string): readonly RowResult[] | undefined;
  set(sequence: string, rows: readonly RowResult[]): unknown;
}

/** The key of a prompt followed by a response. */
export function ablationKey(prompt: ArrayLike<number>, response: readonly number[]): string {
  return `${Array.from(prompt).join(' ')}|${response.join(' ')}`;
}
