/** Shapley values in their plainest form: the mean gain over every order in which the players could arrive. */
import type { AttributionInput } from '../../../src/attribution/method.ts';
import { createLinearModel } from '../linearModel.ts';
import { fullValue } from '../attributionInput.ts';

/** What a set of players is worth; `present[p]` tells whether player p takes part. */
export type Worth = (present: readonly boolean[]) => number;

export function* orders(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) yield [];
  for (const first of items) {
    for (const rest of orders(items.filter((item) => item !== first))) yield [first, ...rest];
  }
}

/** [players] */
export function meanGains(players: number, allOrders: Iterable<readonly number[]>, worth: Worth): number[] {
  const sums = new Array<number>(players).fill(0);
  let count = 0;
  for (const order of allOrders) {
    const present = new Array<boolean>(players).fill(false);
    for (const player of order) {
      const before = worth(present);
      present[player] = true;
      sums[player] = (sums[player] as number) + worth(present) - before;
    }
    count++;
  }
  return sums.map((sum) => sum / count);
}

/** A game that is not additive: some players need each other, some stand in for each other. */
export const tangled: Worth = (present) => {
  const has = (player: number) => (present[player] === true ? 1 : 0);
  return (
    2 * has(0) - has(1) + 3 * has(1) * has(2) + Math.max(has(0), has(3)) * 1.5 - 2 * has(0) * has(3) * has(4) + 0.25 * has(5)
  );
};

/** The worth of every set of units by own full forward passes, with the units' tokens deleted. */
export async function worthOf(input: AttributionInput, units: readonly number[]): Promise<Worth> {
  const model = createLinearModel();
  const table: number[] = [];
  for (let bits = 0; bits < 2 ** units.length; bits++) {
    const gone = new Set(
      units.flatMap((unit, player) => (((bits >> player) & 1) === 1 ? [] : (input.units[unit]?.tokens ?? []))),
    );
    const kept = input.tokens.filter((_token, index) => !gone.has(index)).map((token) => token.id);
    table.push(await fullValue(model, Int32Array.from(kept.length === 0 ? [0] : kept), input.target));
  }
  return (present) => table[present.reduce((bits, here, player) => bits + (here ? 2 ** player : 0), 0)] as number;
}
