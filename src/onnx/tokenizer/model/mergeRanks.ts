import type { ModelConfiguration } from '../tokenizerFile.ts';

type Merges = Extract<ModelConfiguration, { readonly type: 'BPE' }>['merges'];

/**
 * Ranks of merges under the keys that the library asks for, a pair as JSON. Fifty thousand such keys take longer to write than the file takes
 * to parse, and a text asks for few: merges are listed by their right part, and a list becomes a table when it is first asked for.
 */
export class MergeRanks extends Map<string, number> {
  readonly #ranksByRight = new Map<string, number[]>();
  readonly #tables = new Map<string, ReadonlyMap<string, number>>();
  readonly #merges: readonly (readonly string[])[];

  constructor(merges: Merges) {
    super();
    this.#merges = merges.map((merge) => (typeof merge === 'string' ? merge.split(' ', 2) : merge));
    for (const [rank, [, right = '']] of this.#merges.entries()) {
      const ranks = this.#ranksByRight.get(right);
      if (ranks === undefined) this.#ranksByRight.set(right, [rank]);
      else ranks.push(rank);
    }
  }

  override get(pair: string): number | undefined {
    const [left = '', right = ''] = JSON.parse(pair) as readonly string[];
    return this.#tableOf(right)?.get(left);
  }

  /** Left part → rank. Of a merge that is listed twice the later rank counts. */
  #tableOf(right: string): ReadonlyMap<string, number> | undefined {
    const known = this.#tables.get(right);
    const ranks = this.#ranksByRight.get(right);
    if (known !== undefined || ranks === undefined) return known;
    const table = new Map(ranks.map((rank) => [this.#merges[rank]?.[0] ?? '', rank]));
    this.#tables.set(right, table);
    return table;
  }
}
