/**
 * The search behind Anchors (Ribeiro et al. 2018, AAAI, algorithms 1 and 2): a beam over rules ("these players are there") that grows by
 * one player at a time; which rules are most precise is settled by KL-LUCB (Kaufmann & Kalyanakrishnan 2013), which samples where it
 * is most in doubt.
 */
import type { Coalition } from '../perturbation/coalitions.ts';
import { randomCoalition } from './ablations.ts';
import { divergenceBounds } from './proportion.ts';

/** Players in the order in which they joined. */
export type Rule = readonly number[];

export interface RuleOptions {
  readonly players: number;
  /** Precision a rule must have. */
  readonly precision: number;
  /** By how much a precision may be misjudged. */
  readonly tolerance: number;
  readonly beam: number;
  readonly maxSize: number;
  /** Draws in all; the search ends with the best rule so far. */
  readonly maxDraws: number;
  readonly random: () => number;
  /** Whether each coalition keeps the answer. */
  readonly kept: (coalitions: readonly Coalition[]) => Promise<readonly boolean[]>;
}

interface Draw {
  /** Every coalition with these players was as likely as any other. */
  readonly given: Rule;
  readonly coalition: Coalition;
  readonly kept: boolean;
}

interface Tally {
  readonly rule: Rule;
  readonly hits: number;
  readonly count: number;
}

/** The chance that all bounds of the search hold is about one minus this. */
const failure = 0.05;
const firstDraws = 100;
const batch = 10;

export class RuleSearch {
  readonly #options: RuleOptions;
  readonly #draws: Draw[] = [];

  constructor(options: RuleOptions) {
    this.#options = options;
  }

  /** The first rule that is precise enough, shortest first; where none is found, the best of the last beam. */
  async find(): Promise<{ readonly rule: Rule; readonly isPrecise: boolean }> {
    const { players, beam, maxSize, maxDraws } = this.#options;
    await this.#sample([[]], Math.min(firstDraws, Math.floor(maxDraws / 4)));
    if (await this.#isPrecise([], maxDraws / 4)) return { rule: [], isPrecise: true };
    let rules: readonly Rule[] = [[]];
    const sizes = Math.min(maxSize, players);
    for (let size = 1; size <= sizes; size++) {
      // What is left is shared by the sizes to come, half to choose rules and half to judge them.
      const share = (maxDraws - this.#draws.length) / (sizes - size + 1);
      const start = this.#draws.length;
      rules = await this.#mostPrecise(extended(rules, players), beam, start + share / 2);
      for (const rule of rules) {
        if (await this.#isPrecise(rule, start + share)) return { rule, isPrecise: true };
      }
    }
    return { rule: rules[0] ?? [], isPrecise: false };
  }

  /** The share of draws with these players that kept the answer. */
  precision(rule: Rule): number {
    return share(this.#tally(rule));
  }

  /** The `count` rules that are most precise up to the tolerance, best first, or as well as `limit` draws can tell. */
  async #mostPrecise(rules: readonly Rule[], count: number, limit: number): Promise<Rule[]> {
    for (let round = 1; ; round++) {
      const tallies = rules.map((rule) => this.#tally(rule)).sort((a, b) => share(b) - share(a));
      const level = explorationLevel(rules.length, round);
      const bounds = tallies.map(({ hits, count: draws }) => divergenceBounds(hits, draws, level));
      const weakest = indexOfLeast(bounds.slice(0, count).map(([lower]) => lower));
      const challenger = count + indexOfLeast(bounds.slice(count).map(([, upper]) => -upper));
      const isSettled =
        tallies.length <= count || (bounds[challenger]?.[1] ?? 0) - (bounds[weakest]?.[0] ?? 0) <= this.#options.tolerance;
      if (isSettled || this.#draws.length + 2 * batch > limit) return tallies.slice(0, count).map(({ rule }) => rule);
      await this.#sample([tallies[weakest]?.rule ?? [], tallies[challenger]?.rule ?? []], batch);
    }
  }

  /** Draws until it is clear that the rule is precise, up to the tolerance, or that it is not; unclear after `limit` draws counts as no. */
  async #isPrecise(rule: Rule, limit: number): Promise<boolean> {
    const { precision, tolerance, beam, players } = this.#options;
    const level = Math.log((1 + (beam - 1) * players) / failure);
    for (;;) {
      const { hits, count } = this.#tally(rule);
      const [lower, upper] = divergenceBounds(hits, count, level);
      if (hits / count >= precision && lower >= precision - tolerance) return true;
      if (upper < precision) return false;
      if (this.#draws.length + batch > limit) return false;
      await this.#sample([rule], batch);
    }
  }

  async #sample(rules: readonly Rule[], each: number): Promise<void> {
    const { players, random, kept } = this.#options;
    const asked = rules.flatMap((given) =>
      Array.from({ length: each }, () => ({ given, coalition: coalitionWith(given, players, random) })),
    );
    const answers = await kept(asked.map(({ coalition }) => coalition));
    asked.forEach((draw, index) => this.#draws.push({ ...draw, kept: answers[index] === true }));
  }

  /** A draw made for part of a rule counts for the rule if it happens to hold the rest: given that, it is as good as one made for it. */
  #tally(rule: Rule): Tally {
    let [hits, count] = [0, 0];
    for (const { given, coalition, kept } of this.#draws) {
      if (!given.every((player) => rule.includes(player)) || !rule.every((player) => coalition[player] === 1)) continue;
      count++;
      if (kept) hits++;
    }
    return { rule, hits, count };
  }
}

/** The players of the rule are there, each other one with probability ½. */
export function coalitionWith(rule: Rule, players: number, random: () => number): Coalition {
  const coalition = randomCoalition(players, random);
  for (const player of rule) coalition[player] = 1;
  return coalition;
}

/** Every rule with one more player; those that differ only in order count once. */
function extended(rules: readonly Rule[], players: number): Rule[] {
  const found = new Map<string, Rule>();
  for (const rule of rules) {
    for (let player = 0; player < players; player++) {
      if (rule.includes(player)) continue;
      const longer = [...rule, player];
      const key = longer.toSorted((a, b) => a - b).join(' ');
      if (!found.has(key)) found.set(key, longer);
    }
  }
  return [...found.values()];
}

/** How far a bound reaches in the given round, with the constants of the paper's theorem 1. */
function explorationLevel(rules: number, round: number): number {
  const scale = Math.log((405.5 * rules * round ** 1.1) / failure);
  return scale + Math.log(scale);
}

function share({ hits, count }: Tally): number {
  return count === 0 ? 0 : hits / count;
}

function indexOfLeast(values: readonly number[]): number {
  return values.indexOf(Math.min(...values));
}
