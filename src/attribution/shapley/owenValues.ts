import type { Coalition } from '../perturbation/coalitions.ts';
import type { UnitTree } from '../unitTree.ts';

export interface OwenOptions {
  readonly players: number;
  /** v(nobody) and v(everybody). */
  readonly none: number;
  readonly all: number;
  /** Coalitions that may be asked for, beside nobody and everybody. */
  readonly budget: number;
  /** What coalitions are worth, in the order given. */
  readonly worth: (coalitions: readonly Coalition[]) => Promise<ArrayLike<number>>;
}

/** A group in one situation: some of the others are there, and the group itself comes as a whole. */
interface Step {
  readonly group: UnitTree;
  /** The coalition before the group comes. */
  readonly before: Coalition;
  readonly worthBefore: number;
  readonly worthAfter: number;
  /** Share of this situation among all of the group's. */
  readonly weight: number;
}

/** Steps refined together: their prompts begin alike and share that work. */
const stepsAtOnce = 8;

/**
 * Owen values over nested groups (Owen 1977; nested by Winter 1989), as the partition explainer of Lundberg's shap estimates them:
 * the mean gain over those orders of arrival in which each group comes in one piece, its two halves in either order.
 * The step that moves most is refined first; where the budget ends, a group's gain is shared equally by its members. The values
 * add up to v(all) − v(none) at any budget.
 * @returns [players]
 */
export async function owenValues(tree: UnitTree, { players, none, all, budget, worth }: OwenOptions): Promise<Float64Array> {
  const values = new Float64Array(players);
  let open: Step[] = [{ group: tree, before: new Uint8Array(players), worthBefore: none, worthAfter: all, weight: 1 }];
  let left = budget;
  while (open.length > 0) {
    for (const step of open.filter(isSettled)) share(values, step);
    open = open.filter((step) => !isSettled(step)).sort((a, b) => size(b) - size(a));
    const chosen = open.splice(0, Math.min(stepsAtOnce, Math.floor(left / 2)));
    if (chosen.length === 0) break;
    left -= 2 * chosen.length;
    const halves = chosen.map(({ group }) => twoHalves(group));
    const alone = await worth(
      chosen.flatMap(({ before }, index) => (halves[index] as Halves).map((half) => joined(before, half))),
    );
    chosen.forEach((step, index) => {
      const [worthFirst, worthSecond] = [alone[2 * index] as number, alone[2 * index + 1] as number];
      open.push(...refined(step, halves[index] as Halves, [worthFirst, worthSecond]));
    });
  }
  for (const step of open) share(values, step);
  return values;
}

type Halves = readonly [UnitTree, UnitTree];

/** Each half comes before the other one, and after it. */
function refined(step: Step, [first, second]: Halves, [worthFirst, worthSecond]: readonly [number, number]): Step[] {
  const { before, worthBefore, worthAfter } = step;
  const weight = step.weight / 2;
  return [
    { group: first, before, worthBefore, worthAfter: worthFirst, weight },
    { group: second, before: joined(before, first), worthBefore: worthFirst, worthAfter, weight },
    { group: second, before, worthBefore, worthAfter: worthSecond, weight },
    { group: first, before: joined(before, second), worthBefore: worthSecond, worthAfter, weight },
  ];
}

function isSettled({ group }: Step): boolean {
  return group.members.length < 2;
}

/** How much of the values depends on the step. */
function size({ worthBefore, worthAfter, weight }: Step): number {
  return Math.abs(worthAfter - worthBefore) * weight;
}

function share(values: Float64Array, { group, worthBefore, worthAfter, weight }: Step): void {
  const part = ((worthAfter - worthBefore) * weight) / group.members.length;
  for (const member of group.members) values[member] = (values[member] as number) + part;
}

function joined(coalition: Coalition, { members }: UnitTree): Coalition {
  const result = coalition.slice();
  for (const member of members) result[member] = 1;
  return result;
}

/** The children in two runs of about the same number of members; a run of several children is a group of its own. */
export function twoHalves({ members, children }: UnitTree): Halves {
  let cut = 1;
  let held = children[0]?.members.length ?? 0;
  while (cut < children.length - 1) {
    const next = held + (children[cut]?.members.length ?? 0);
    if (Math.abs(members.length - 2 * next) > Math.abs(members.length - 2 * held)) break;
    held = next;
    cut++;
  }
  return [run(children.slice(0, cut)), run(children.slice(cut))];
}

function run(children: readonly UnitTree[]): UnitTree {
  const [only] = children;
  if (children.length === 1 && only !== undefined) return only;
  return { members: children.flatMap((child) => child.members), children };
}
