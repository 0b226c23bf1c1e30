/** What Shapley values and surrogates ask: what the target is worth with only some players present. */
import type { AttributionOptions } from './method.ts';

/** [players]: 1 = the player is there, 0 = it is taken away. */
export type Coalition = Uint8Array;

export interface Game {
  /** How many players there are. */
  readonly size: number;
  /** The worth of each coalition, in the order given; the same coalition always has the same worth. */
  values(coalitions: readonly Coalition[], options?: AttributionOptions): Promise<Float64Array>;
}

/** The coalition of all players, or of none. */
export function uniformCoalition(size: number, present: 0 | 1): Coalition {
  return new Uint8Array(size).fill(present);
}

/** A copy with one player joined or left. */
export function withPlayer(coalition: Coalition, player: number, present: 0 | 1): Coalition {
  const changed = coalition.slice();
  changed[player] = present;
  return changed;
}

/** Coalition number `bits` of 2^size: player p is there when bit p is set. */
export function coalitionOfBits(bits: number, size: number): Coalition {
  return Uint8Array.from({ length: size }, (_, player) => (bits >>> player) & 1);
}

/** Who is there where the other is not. */
export function complementOf(coalition: Coalition): Coalition {
  return coalition.map((present) => 1 - present);
}
