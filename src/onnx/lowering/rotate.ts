import type { GraphBuilder } from '../graph/graphBuilder.ts';
import { type LoweringContext, once } from './loweringContext.ts';

export interface RotaryForm {
  readonly headSize: number;
  /** How many of a head's first dimensions are rotated. */
  readonly rotated: number;
  /** Pairs are neighbours (2i, 2i + 1) instead of halves (i, i + rotated / 2). */
  readonly interleaved: boolean;
}

/**
 * Rotary position embedding (Su et al. 2021, eq. 34).
 * @param x [batch, heads, tokens, head size] or [batch, tokens, heads, head size]
 * @param cos tables that broadcast to [.., .., .., rotated / 2]; sin alike
 */
export function rotate(builder: GraphBuilder, x: string, cos: string, sin: string, form: RotaryForm): string {
  const { headSize, rotated, interleaved } = form;
  const half = rotated / 2;
  const [turned = x, rest = null] = rotated < headSize ? builder.split(x, 3, [rotated, headSize - rotated]) : [x];
  const [a, b] = interleaved ? neighbours(builder, turned, half) : halves(builder, turned, half);
  const first = builder.subtract(builder.multiply(a, cos), builder.multiply(b, sin));
  const second = builder.add(builder.multiply(b, cos), builder.multiply(a, sin));
  const whole = interleaved
    ? builder.reshape(builder.node('Concat', [builder.unsqueeze(first, [4]), builder.unsqueeze(second, [4])], { axis: 4 }), [
        0,
        0,
        0,
        rotated,
      ])
    : builder.node('Concat', [first, second], { axis: 3 });
  return rest === null ? whole : builder.node('Concat', [whole, rest], { axis: 3 });
}

function halves(builder: GraphBuilder, x: string, half: number): [string, string] {
  const [a = '', b = ''] = builder.split(x, 3, [half, half]);
  return [a, b];
}

function neighbours(builder: GraphBuilder, x: string, half: number): [string, string] {
  const [a = '', b = ''] = builder.split(builder.reshape(x, [0, 0, 0, half, 2]), 4, [1, 1]);
  return [builder.squeeze(a, [4]), builder.squeeze(b, [4])];
}

/**
 * Rows of a rotary table for the tokens of x.
 * @param table [positions, rotated / 2]
 * @param positions position ids [batch, tokens]; null: 0, 1, 2, …
 * @param axis the axis of heads in x; the table is given one of size 1 there
 */
export function tableRows(context: LoweringContext, table: string, positions: string | null, x: string, axis: 1 | 2): string {
  const { builder } = context;
  return once(context, `rows ${table} ${positions} ${axis}`, () => {
    if (positions !== null) return builder.unsqueeze(builder.node('Gather', [table, positions]), [axis]);
    const tokens = builder.node('Gather', [builder.shape(x), builder.ints(axis === 1 ? 2 : 1)]); // [1]
    const rows = builder.node('Slice', [table, builder.ints(0), tokens, builder.ints(0)]);
    return builder.unsqueeze(rows, axis === 1 ? [0, 1] : [0, 2]);
  });
}
