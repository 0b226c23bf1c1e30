/**
 * The prompt as a cooperative game: units are players, and a coalition is worth what the target is with only its units present.
 * Shapley values, surrogates and rules all ask the same questions; each is put to the model once.
 */
import type { RowResult } from '../../model/model.ts';
import { ablationKey, type AblationStore } from '../ablationStore.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';
import { shownUnits } from '../scoredUnits.ts';
import type { ResolvedTarget } from '../target.ts';
import { evaluateRows, sharedPasses } from './evaluateSequences.ts';
import { tokenRemover } from './withoutTokens.ts';

/** [players]: 1 = the player's unit is there, 0 = it is taken away. */
export type Coalition = Uint8Array;

export interface GameOptions {
  /** Indices of the units that play; all others always stay. Default: those of {@link players}. */
  readonly units?: readonly number[];
  /** Read instead of the target: a longer piece of the same text. Rows of `input.response` are kept in `input.ablations`. */
  readonly target?: ResolvedTarget;
}

/** Units that may be taken away: the author's own. Without `keepLast` also the one that holds the last token, where the answer is read. */
export function players(
  { units, tokens }: Pick<AttributionInput, 'units' | 'tokens'>,
  { keepLast }: { keepLast: boolean },
): number[] {
  return shownUnits(units).filter((unit) => !keepLast || units[unit]?.tokens.includes(tokens.length - 1) !== true);
}

/** [2^players]: number b has player u where bit u of b is set. */
export function allCoalitions(players: number): Coalition[] {
  return Array.from({ length: 2 ** players }, (_, bits) =>
    Uint8Array.from({ length: players }, (_p, player) => (bits >> player) & 1),
  );
}

export class CoalitionGame {
  /** Units of the players: player p is unit `units[p]`. */
  readonly units: readonly number[];
  /** Full-length forward passes spent so far; shared beginnings count once. */
  forwardPasses = 0;
  readonly #input: AttributionInput;
  readonly #target: ResolvedTarget;
  readonly #full: Int32Array;
  readonly #without: (gone: readonly number[]) => Int32Array;
  /** By the prompt that remains: coalitions that leave the same text are one. */
  readonly #known = new Map<string, readonly RowResult[]>();
  readonly #kept: AblationStore | undefined;
  #evaluated = 0;

  private constructor(input: AttributionInput, options: GameOptions, without: (gone: readonly number[]) => Int32Array) {
    this.units = options.units ?? players(input, { keepLast: false });
    this.#input = input;
    this.#target = options.target ?? input.target;
    this.#kept = this.#target === input.response ? input.ablations : undefined;
    this.#full = Int32Array.from(input.tokens, (token) => token.id);
    this.#without = without;
  }

  /** The `replacement` parameter of the input says what stands where a unit was. */
  static async open(input: AttributionInput, options: GameOptions = {}): Promise<CoalitionGame> {
    return new CoalitionGame(input, options, await tokenRemover(input));
  }

  /** Distinct prompts the model has been asked so far. */
  get evaluated(): number {
    return this.#evaluated;
  }

  /** The coalition with every player. */
  everybody(): Coalition {
    return new Uint8Array(this.units.length).fill(1);
  }

  /** The target's value of each coalition, in the order given. @throws as `evaluateRows` */
  async values(coalitions: readonly Coalition[], options: AttributionOptions = {}): Promise<Float64Array> {
    return Float64Array.from(await this.rows(coalitions, options), (rows) => this.#target.value(rows));
  }

  /** The rows of logits behind the values, for targets that are read token by token. @throws as `evaluateRows` */
  async rows(coalitions: readonly Coalition[], options: AttributionOptions = {}): Promise<(readonly RowResult[])[]> {
    const prompts = coalitions.map((coalition) => this.prompt(coalition));
    const keys = prompts.map((prompt) => prompt.join(' '));
    const fresh = new Map<string, Int32Array>();
    keys.forEach((key, index) => {
      if (!this.#recall(key, prompts[index] as Int32Array)) fresh.set(key, prompts[index] as Int32Array);
    });
    const asked = [...fresh.values()];
    let done = coalitions.length - asked.length;
    const rows = await evaluateRows(this.#input.model, asked, this.#target, {
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      onValue: () => options.onProgress?.(++done, coalitions.length),
    });
    this.forwardPasses += this.#passesOf(asked);
    this.#evaluated += asked.length;
    [...fresh].forEach(([key, prompt], index) => {
      this.#known.set(key, rows[index] as readonly RowResult[]);
      this.#kept?.set(this.#keptAs(prompt), rows[index] as readonly RowResult[]);
    });
    return keys.map((key) => this.#known.get(key) as readonly RowResult[]);
  }

  /** Whether the rows of a prompt are known, from this game or from an earlier one. */
  #recall(key: string, prompt: Int32Array): boolean {
    if (this.#known.has(key)) return true;
    const rows = this.#kept?.get(this.#keptAs(prompt));
    if (rows === undefined) return false;
    this.#known.set(key, rows);
    return true;
  }

  #keptAs(prompt: Int32Array): string {
    return ablationKey(prompt, this.#target.description.ids);
  }

  /** Full-length forward passes these coalitions cost together, were none of them known; shared beginnings count once. */
  passes(coalitions: readonly Coalition[]): number {
    return this.#passesOf(coalitions.map((coalition) => this.prompt(coalition)));
  }

  #passesOf(prompts: readonly Int32Array[]): number {
    return sharedPasses(this.#input.model.info, prompts, this.#full.length, this.#target.continuation.length);
  }

  /** What is left of the prompt's tokens. */
  prompt(coalition: Coalition): Int32Array {
    const gone = this.units.flatMap((unit, player) => (coalition[player] === 1 ? [] : (this.#input.units[unit]?.tokens ?? [])));
    return this.#without(gone);
  }

  /** Scores of all units, from one number per player; units that do not play get 0. */
  unitScores(values: ArrayLike<number>): Float32Array {
    const scores = new Float32Array(this.#input.units.length);
    this.units.forEach((unit, player) => {
      scores[unit] = values[player] ?? 0;
    });
    return scores;
  }
}
