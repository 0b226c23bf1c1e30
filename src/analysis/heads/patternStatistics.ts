/** What one attention pattern looks like, in numbers. Every statistic is a mean over queries behind the first token. */

/** Whether a query sees the tokens before it and itself (language models), or the whole prompt (most classifiers and encoders). */
export type Sight = 'back' | 'whole';

/** What the prompt is made of, by token: tokens of equal numbers belong together. */
export interface TokenGroups {
  readonly ids: ArrayLike<number>;
  readonly words: ArrayLike<number>;
  readonly sentences: ArrayLike<number>;
  readonly sections: ArrayLike<number>;
  /** 1 where a token stands in a heading. */
  readonly headings: ArrayLike<number>;
}

/** Shares of attention are from 0 to 1. Null: no query of the prompt could show it. */
export interface PatternStatistics {
  /** −Σ p log p of a query's attention, nats. */
  readonly entropy: number;
  /** The largest share a query gives to one token. */
  readonly concentration: number;
  /** Tokens between query and key, weighted by attention. */
  readonly distance: number;
  /** Share of the first token, of the query itself, of the token before it. */
  readonly sink: number;
  readonly self: number;
  readonly previous: number;
  /** Share of other tokens in sight that equal the query, of queries that have one. */
  readonly duplicate: number | null;
  /** Share of the tokens that followed those (Olsson et al. 2022, arXiv 2209.11895: prefix matching). */
  readonly induction: number | null;
  /** Share of other pieces of the query's own word in sight, of queries that have some. */
  readonly sameWord: number | null;
  /** Share of the query's own sentence and section, the query itself included. */
  readonly sameSentence: number;
  readonly sameSection: number;
  /** Share of tokens in headings, of queries that see one; null without headings. */
  readonly heading: number | null;
}

interface Sum {
  total: number;
  count: number;
}

/** @param pattern [T, T], row = query; T at least 2 */
export function patternStatistics(pattern: Float32Array, groups: TokenGroups, sight: Sight = 'back'): PatternStatistics {
  const size = Math.sqrt(pattern.length);
  const { ids, words, sentences, sections, headings } = groups;
  const sums = new Map<keyof PatternStatistics, Sum>();
  const add = (name: keyof PatternStatistics, value: number) => {
    const sum = sums.get(name) ?? { total: 0, count: 0 };
    sums.set(name, { total: sum.total + value, count: sum.count + 1 });
  };
  for (let query = 1; query < size; query++) {
    let [entropy, largest, distance] = [0, 0, 0];
    const found = { duplicate: 0, induction: 0, sameWord: 0, sameSentence: 0, sameSection: 0, heading: 0 };
    const seen = { duplicate: false, induction: false, sameWord: false, heading: false };
    for (let key = 0; key <= lastSeen(query, size, sight); key++) {
      const share = pattern[query * size + key] as number;
      if (share > 0) entropy -= share * Math.log(share);
      largest = Math.max(largest, share);
      distance += share * Math.abs(query - key);
      if (sentences[key] === sentences[query]) found.sameSentence += share;
      if (sections[key] === sections[query]) found.sameSection += share;
      if (headings[key] === 1) {
        found.heading += share;
        seen.heading = true;
      }
      if (key === query) continue;
      if (words[key] === words[query]) {
        found.sameWord += share;
        seen.sameWord = true;
      }
      if (ids[key] === ids[query]) {
        found.duplicate += share;
        seen.duplicate = true;
      }
      if (key > 0 && key - 1 !== query && ids[key - 1] === ids[query]) {
        found.induction += share;
        seen.induction = true;
      }
    }
    add('entropy', entropy);
    add('concentration', largest);
    add('distance', distance);
    add('sink', pattern[query * size] as number);
    add('self', pattern[query * size + query] as number);
    add('previous', pattern[query * size + query - 1] as number);
    add('sameSentence', found.sameSentence);
    add('sameSection', found.sameSection);
    for (const name of ['duplicate', 'induction', 'sameWord', 'heading'] as const) if (seen[name]) add(name, found[name]);
  }
  const mean = (name: keyof PatternStatistics) => {
    const sum = sums.get(name);
    return sum === undefined ? null : sum.total / sum.count;
  };
  const always = (name: keyof PatternStatistics) => mean(name) ?? 0;
  return {
    entropy: always('entropy'),
    concentration: always('concentration'),
    distance: always('distance'),
    sink: always('sink'),
    self: always('self'),
    previous: always('previous'),
    duplicate: mean('duplicate'),
    induction: mean('induction'),
    sameWord: mean('sameWord'),
    sameSentence: always('sameSentence'),
    sameSection: always('sameSection'),
    heading: mean('heading'),
  };
}

/** The last key that a query sees. */
export function lastSeen(query: number, size: number, sight: Sight): number {
  return sight === 'back' ? query : size - 1;
}

/** What a query sees in a pattern [T, T]. */
export function sightOf(pattern: Float32Array): Sight {
  const size = Math.sqrt(pattern.length);
  return pattern.some((share, at) => share > 0 && at % size > Math.floor(at / size)) ? 'whole' : 'back';
}

/** Attention that prefers nothing: what each statistic is by chance on this prompt. [T, T] */
export function uniformPattern(size: number, sight: Sight = 'back'): Float32Array {
  const pattern = new Float32Array(size * size);
  for (let query = 0; query < size; query++) {
    const seen = lastSeen(query, size, sight) + 1;
    pattern.fill(1 / seen, query * size, query * size + seen);
  }
  return pattern;
}
