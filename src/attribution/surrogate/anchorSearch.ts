/** The search behind Anchors, on anything that says for each coalition whether the answer is kept. */
import type { Coalition } from '../game.ts';
import { shareInterval } from '../sampleInterval.ts';

export interface KeptAnswer {
  /** How many players there are. */
  readonly size: number;
  keeps(coalitions: readonly Coalition[]): Promise<readonly boolean[]>;
}

export interface AnchorOptions {
  readonly precision: number;
  readonly maxUnits: number;
  /** Rules that are extended at each size. */
  readonly beam: number;
  /** Coalitions that may be asked for. */
  readonly samples: number;
  readonly random: () => number;
}

export interface Anchor {
  /** Players, in the order in which they joined. */
  readonly rule: readonly number[];
  /** Precision each of them added. */
  readonly gains: readonly number[];
  /** Of fresh trials, made after the rule was chosen. */
  readonly hits: number;
  readonly trials: number;
  /** Whether the fresh trials say that the rule is as precise as asked. */
  readonly isReached: boolean;
}

interface Trial {
  readonly coalition: Coalition;
  readonly kept: boolean;
}

interface Candidate {
  readonly rule: readonly number[];
  readonly gains: readonly number[];
  /** Everything known of prompts that hold the rule. */
  readonly trials: readonly Trial[];
}

/** Trials at a time. */
const batch = 16;
/** Trials after which a rule is believed where its share of kept answers is as asked. */
const enough = 48;
/** Rounds in which candidates of one size compete. */
const rounds = 3;

/**
 * Beam search from the empty rule. A trial of a rule in which another player happens to be there is a trial of the rule with that
 * player too, so extensions begin with what their parent has seen; those whose upper confidence bound reaches the best get more
 * (after Kaufmann & Kalyanakrishnan 2013). A rule is accepted on fresh trials only, so its precision is not flattered by the choice.
 */
export async function searchAnchor(
  answer: KeptAnswer,
  options: AnchorOptions,
  onProgress: (done: number, total: number) => void,
): Promise<Anchor> {
  const trials = new Trials(answer, options, onProgress);
  const largest = Math.min(options.maxUnits, answer.size);
  let beam: Candidate[] = [{ rule: [], gains: [], trials: [] }];
  let best: Anchor | null = null;
  for (let units = 0; units <= largest; units++) {
    const checked: Candidate[] = [];
    for (const candidate of beam) {
      const fresh = await trials.fresh(candidate.rule, options.precision);
      const anchor = { ...candidate, hits: hitsOf(fresh), trials: fresh.length, isReached: isPrecise(fresh, options.precision) };
      if (best === null || shareOf(fresh) > best.hits / Math.max(1, best.trials)) best = anchor;
      if (anchor.isReached) return anchor;
      checked.push({ ...candidate, trials: [...candidate.trials, ...fresh] });
    }
    if (units === largest || trials.isSpent) break;
    beam = await trials.best(extensions(checked, answer.size), options.beam);
  }
  return best ?? { rule: [], gains: [], hits: 0, trials: 0, isReached: false };
}

class Trials {
  readonly #answer: KeptAnswer;
  readonly #options: AnchorOptions;
  readonly #onProgress: (done: number, total: number) => void;
  #spent = 0;

  constructor(answer: KeptAnswer, options: AnchorOptions, onProgress: (done: number, total: number) => void) {
    this.#answer = answer;
    this.#options = options;
    this.#onProgress = onProgress;
  }

  get isSpent(): boolean {
    return this.#spent >= this.#options.samples;
  }

  /** New trials of one rule, until it is clear whether it is precise enough. */
  async fresh(rule: readonly number[], precision: number): Promise<readonly Trial[]> {
    let seen: readonly Trial[] = [];
    while (!this.isSpent && isOpen(seen, precision)) seen = [...seen, ...(await this.#run([rule]))];
    return seen;
  }

  /** The `count` candidates that keep the answer most often, after those that may still be among them had more trials. */
  async best(candidates: readonly Candidate[], count: number): Promise<Candidate[]> {
    let ranked = ranking(candidates);
    for (let round = 0; round < rounds && !this.isSpent; round++) {
      const last = ranked[count - 1];
      if (last === undefined) break;
      const [floor] = shareInterval(hitsOf(last.trials), last.trials.length);
      const open = ranked.filter(({ trials }, place) => place < count || shareInterval(hitsOf(trials), trials.length)[1] > floor);
      if (open.length <= count) break;
      const contenders = open.slice(0, 2 * count);
      const more = await this.#run(contenders.map(({ rule }) => rule));
      const each = more.length / contenders.length;
      const extended = new Map(contenders.map((candidate, index) => [candidate, more.slice(index * each, (index + 1) * each)]));
      ranked = ranking(
        ranked.map((candidate) => ({ ...candidate, trials: [...candidate.trials, ...(extended.get(candidate) ?? [])] })),
      );
    }
    return ranked.slice(0, count);
  }

  /** One batch for each rule, in their order: the rule's players, and every other with probability one half. */
  async #run(rules: readonly (readonly number[])[]): Promise<Trial[]> {
    const coalitions = rules.flatMap((rule) => Array.from({ length: batch }, () => this.#draw(rule)));
    const kept = await this.#answer.keeps(coalitions);
    this.#spent += coalitions.length;
    this.#onProgress(Math.min(this.#spent, this.#options.samples), this.#options.samples);
    return coalitions.map((coalition, index) => ({ coalition, kept: kept[index] === true }));
  }

  #draw(rule: readonly number[]): Coalition {
    const coalition = Uint8Array.from({ length: this.#answer.size }, () => (this.#options.random() < 0.5 ? 1 : 0));
    for (const player of rule) coalition[player] = 1;
    return coalition;
  }
}

function isPrecise(trials: readonly Trial[], precision: number): boolean {
  const hits = hitsOf(trials);
  return trials.length >= enough && hits >= precision * trials.length;
}

/** Not yet enough trials, and not yet hopeless. */
function isOpen(trials: readonly Trial[], precision: number): boolean {
  return trials.length < enough && (trials.length === 0 || shareInterval(hitsOf(trials), trials.length)[1] >= precision);
}

/** Every rule of the beam with every other player, each set once; what the parent saw with that player there counts. */
function extensions(beam: readonly Candidate[], size: number): Candidate[] {
  const known = new Set<string>();
  return beam.flatMap(({ rule, gains, trials }) =>
    Array.from({ length: size }, (_, player) => player).flatMap((player): Candidate[] => {
      const extended = [...rule, player];
      const key = extended.toSorted((a, b) => a - b).join(' ');
      if (rule.includes(player) || known.has(key)) return [];
      known.add(key);
      const seen = trials.filter(({ coalition }) => coalition[player] === 1);
      return [{ rule: extended, gains: [...gains, shareOf(seen) - shareOf(trials)], trials: seen }];
    }),
  );
}

function ranking(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => shareOf(b.trials) - shareOf(a.trials) || b.trials.length - a.trials.length);
}

function hitsOf(trials: readonly Trial[]): number {
  return trials.filter(({ kept }) => kept).length;
}

function shareOf(trials: readonly Trial[]): number {
  return trials.length === 0 ? 0 : hitsOf(trials) / trials.length;
}
