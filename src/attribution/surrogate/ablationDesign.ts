/**
 * Which prompts a surrogate is fitted on. Random halves of the prompt, drawn as a tree: prompts of one branch share their
 * beginning, which is evaluated once, so that the same time buys more of them. Every unit is still there with probability one half
 * in every prompt, and independent of every other unit in the same prompt; only prompts of one branch are alike.
 */
import type { Coalition } from '../game.ts';
import { seededRandom } from '../seededRandom.ts';

/** Parts of the prompt that branch one after another. */
const levels = 3;

/** @returns about `count` different coalitions (fewer when there are not so many), in a fixed order for a seed */
export function branchingAblations(size: number, count: number, seed: number): Coalition[] {
  if (size === 0) return [];
  if (size < 16 && 2 ** size <= count) {
    return Array.from({ length: 2 ** size }, (_, bits) =>
      Uint8Array.from({ length: size }, (__, player) => (bits >>> player) & 1),
    );
  }
  const random = seededRandom(seed);
  const [, ...borders] = Array.from({ length: levels + 1 }, (_, level) => Math.round((level * size) / levels));
  const different = new Map<string, Coalition>();
  // Trees until there are enough: a short first part has few different beginnings.
  for (let tries = 0; different.size < count && tries < 16; tries++) {
    for (const coalition of tree(size, borders, branching(count), random)) {
      if (different.size < count) different.set(coalition.join(''), coalition);
    }
  }
  return [...different.values()];
}

/** Independent random halves, for what a surrogate is checked on. */
export function independentAblations(size: number, count: number, random: () => number): Coalition[] {
  return Array.from({ length: count }, () => Uint8Array.from({ length: size }, () => (random() < 0.5 ? 1 : 0)));
}

/** Branches of each level; beginnings get the most, because units there are seen through them alone. */
function branching(count: number): number[] {
  const later = count >= 96 ? 4 : 2;
  return [Math.max(2, Math.ceil(count / later ** (levels - 1))), ...Array.from({ length: levels - 1 }, () => later)];
}

function tree(size: number, borders: readonly number[], branches: readonly number[], random: () => number): Coalition[] {
  let grown: Coalition[] = [new Uint8Array(size)];
  let from = 0;
  borders.forEach((to, level) => {
    const start = from;
    grown = grown.flatMap((stem) => {
      const shoots: Coalition[] = [];
      for (let branch = 0; branch < (branches[level] ?? 1); branch++) {
        const shoot = stem.slice();
        const twin = branch % 2 === 1 ? shoots[branch - 1] : undefined;
        // Each second branch is the opposite of the one before: both together hold every unit exactly once.
        for (let player = start; player < to; player++)
          shoot[player] = twin === undefined ? (random() < 0.5 ? 1 : 0) : 1 - (twin[player] as number);
        shoots.push(shoot);
      }
      return shoots;
    });
    from = to;
  });
  return grown;
}
