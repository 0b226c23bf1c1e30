import type { Samples } from './regression.ts';

/** A node asks for one column; node 0 is the root. */
export type TreeNode =
  | {
      readonly kind: 'split';
      readonly column: number;
      /** Indices of the nodes for samples that hold the column, and for those that do not. */
      readonly present: number;
      readonly absent: number;
      readonly mean: number;
      readonly samples: number;
      /** How much of the squared error the question takes away, summed over the node's samples, in the values' unit squared. */
      readonly reduction: number;
    }
  | { readonly kind: 'leaf'; readonly mean: number; readonly samples: number };

export interface TreeLimits {
  /** Questions on the way to a leaf. */
  readonly depth: number;
  /** Fewest samples in a leaf. */
  readonly leafSamples: number;
}

/**
 * A regression tree over columns of 0 and 1 (CART, Breiman et al. 1984): each node asks for the column whose answer takes away most
 * squared error, the first of equals. Every sample counts the same.
 */
export function growTree({ rows, values }: Pick<Samples, 'rows' | 'values'>, { depth, leafSamples }: TreeLimits): TreeNode[] {
  const nodes: TreeNode[] = [];
  const valueOf = (sample: number) => values[sample] as number;
  const holds = (sample: number, column: number) => rows[sample]?.[column] === 1;

  /** @returns the index of the node */
  const grow = (members: readonly number[], levels: number): number => {
    const place = nodes.length;
    const mean = members.reduce((sum, sample) => sum + valueOf(sample), 0) / members.length;
    nodes.push({ kind: 'leaf', mean, samples: members.length });
    const split = levels === 0 ? null : bestSplit(members, mean);
    if (split !== null) {
      const side = (there: boolean) => members.filter((sample) => holds(sample, split.column) === there);
      const present = grow(side(true), levels - 1);
      const absent = grow(side(false), levels - 1);
      nodes[place] = { kind: 'split', ...split, present, absent, mean, samples: members.length };
    }
    return place;
  };

  const bestSplit = (members: readonly number[], mean: number) => {
    const error = members.reduce((sum, sample) => sum + (valueOf(sample) - mean) ** 2, 0);
    // Less is rounding.
    let best = { column: -1, reduction: 1e-9 * error + 1e-20 * members.length * mean ** 2 };
    for (let column = 0; column < (rows[0]?.length ?? 0); column++) {
      const there = members.filter((sample) => holds(sample, column));
      const gone = members.length - there.length;
      if (Math.min(there.length, gone) < Math.max(1, leafSamples)) continue;
      // The two sides' means lie around the node's: n₁ (m₁ − m)² + n₀ (m₀ − m)².
      const shift = there.reduce((sum, sample) => sum + valueOf(sample) - mean, 0);
      const reduction = shift ** 2 / there.length + shift ** 2 / gone;
      if (reduction > best.reduction * (1 + 1e-12)) best = { column, reduction };
    }
    return best.column < 0 ? null : best;
  };

  grow(
    rows.map((_row, sample) => sample),
    depth,
  );
  return nodes;
}

/** The mean of the leaf that a row ends in. */
export function treeValue(nodes: readonly TreeNode[], row: ArrayLike<number>): number {
  let node = nodes[0];
  while (node?.kind === 'split') node = nodes[row[node.column] === 1 ? node.present : node.absent];
  return node?.mean ?? 0;
}
