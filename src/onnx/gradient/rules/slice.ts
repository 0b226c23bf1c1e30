import { type GraphNode, intsAttribute } from '../../graph/graph.ts';
import { elementTypes } from '../../graph/graph.ts';
import { type DimsPair, range } from '../shapes.ts';
import { inputOf, ofFirstOutput, outputOf, type RuleContext } from './rule.ts';
import { scatterAlong } from './scatter.ts';

/** Larger ends mean “to the end”, as exporters write it. */
const infinite = 2 ** 31 - 1;

interface AxisSlice {
  readonly axis: number;
  readonly step: number;
  /** In both probe runs; null where not known. */
  readonly start: readonly [number, number] | null;
  readonly end: readonly [number, number] | null;
  /** [1] int64 */
  readonly startName: () => string;
  readonly endName: () => string;
}

/** Zeros are put back where something was cut off; with steps other than 1, elements are put back at the places they came from. */
export const slice = ofFirstOutput((node, gradient, context) => {
  const { shapes, add } = context;
  const x = inputOf(node, 0);
  add(x, () => {
    const cuts = slicesOf(node, context).filter((cut) => !isWhole(cut, shapes.dims(x), shapes.dims(outputOf(node))));
    const padded = padBack(
      node,
      gradient,
      cuts.filter(({ step }) => step === 1),
      context,
    );
    return cuts.filter(({ step }) => step !== 1).reduce((current, cut) => placeBack(x, current, cut, context), padded);
  });
});

function slicesOf(node: GraphNode, { builder, shapes, refusal }: RuleContext): AxisSlice[] {
  const x = inputOf(node, 0);
  const [startsGiven, endsGiven] = [intsAttribute(node, 'starts'), intsAttribute(node, 'ends')];
  const [starts, ends] = [inputOf(node, 1), inputOf(node, 2)];
  const list = (tensor: string) => (tensor === '' ? null : shapes.wholeNumbers(tensor));
  const pairs = (given: readonly number[] | null, tensor: string) => {
    if (given !== null) return [given, given] as const;
    return tensor === '' ? null : shapes.facts(tensor).values;
  };
  const [startPairs, endPairs] = [pairs(startsGiven, starts), pairs(endsGiven, ends)];
  const count = startsGiven?.length ?? shapes.fixedSize(starts, 0);
  const axes =
    intsAttribute(node, 'axes') ?? list(inputOf(node, 3)) ?? (inputOf(node, 3) === '' && count !== null ? range(count) : null);
  const steps = inputOf(node, 4) === '' ? axes?.map(() => 1) : list(inputOf(node, 4));
  if (axes === null || steps === undefined || steps === null) throw refusal('its axes or steps depend on the input');
  const entry = (values: DimsPair | null, index: number): [number, number] | null => {
    const [first, second] = [values?.[0][index], values?.[1][index]];
    return first === undefined || second === undefined ? null : [first, second];
  };
  const named = (pair: readonly [number, number] | null, tensor: string, index: number) => () => {
    if (pair !== null && pair[0] === pair[1]) return builder.ints(pair[0]);
    const one = builder.slice(tensor, 0, index, index + 1);
    return shapes.facts(tensor).type === elementTypes.int64 ? one : builder.node('Cast', [one], { to: elementTypes.int64 });
  };
  return axes.map((axis, index) => {
    const [start, end] = [entry(startPairs, index), entry(endPairs, index)];
    return {
      axis: shapes.axis(x, axis),
      step: steps[index] ?? 1,
      start,
      end,
      startName: named(start, starts, index),
      endName: named(end, ends, index),
    };
  });
}

/** True where nothing is cut off at any prompt length. */
function isWhole({ axis, step, start, end }: AxisSlice, x: DimsPair, y: DimsPair): boolean {
  const same = (run: 0 | 1) => x[run][axis] === y[run][axis];
  if (step !== 1 || !same(0) || !same(1)) return false;
  if (x[0][axis] === x[1][axis]) return true;
  const all =
    end !== null &&
    ([0, 1] as const).every((run) => end[run] >= infinite || (end[0] !== end[1] && end[run] >= (x[run][axis] ?? 0)));
  return start?.[0] === 0 && start[1] === 0 && all;
}

function padBack(node: GraphNode, gradient: string, cuts: readonly AxisSlice[], context: RuleContext): string {
  if (cuts.length === 0) return gradient;
  const { builder, shapes } = context;
  const x = inputOf(node, 0);
  const widths = range(shapes.rank(x)).map((axis) => {
    const cut = cuts.find((other) => other.axis === axis);
    return cut === undefined ? { before: 0, after: 0 } : widthsOf(node, cut, context);
  });
  const all = [...widths.map(({ before }) => before), ...widths.map(({ after }) => after)];
  const known = all.filter((width) => typeof width === 'number');
  const pads =
    known.length === all.length
      ? builder.ints(...known)
      : builder.node(
          'Concat',
          all.map((width) => (typeof width === 'number' ? builder.ints(width) : width)),
          { axis: 0 },
        );
  return builder.node('Pad', [gradient, pads]);
}

/** How much was cut off at both ends of an axis: numbers where they are fixed, else [1] int64. */
function widthsOf(
  node: GraphNode,
  cut: AxisSlice,
  { builder, shapes }: RuleContext,
): { before: number | string; after: number | string } {
  const [x, y] = [inputOf(node, 0), outputOf(node)];
  const { axis, start } = cut;
  const [size, kept] = [shapes.fixedSize(x, axis), shapes.fixedSize(y, axis)];
  const fixedStart = start !== null && start[0] === start[1] ? start[0] : null;
  if (size !== null && kept !== null && fixedStart !== null) {
    const before = Math.min(Math.max(fixedStart < 0 ? fixedStart + size : fixedStart, 0), size);
    return { before, after: size - before - kept };
  }
  const whole = shapes.size(x, axis);
  const before = fixedStart !== null && fixedStart >= 0 ? builder.ints(fixedStart) : fromEnd(cut.startName(), whole, builder);
  return { before, after: builder.subtract(builder.subtract(whole, before), shapes.size(y, axis)) };
}

/** A start that may be counted from the end, as one counted from the beginning: [1] int64. */
function fromEnd(start: string, size: string, builder: RuleContext['builder']): string {
  const zero = builder.ints(0);
  const counted = builder.node('Where', [builder.node('Less', [start, zero]), builder.add(start, size), start]);
  return builder.node('Where', [builder.node('Less', [counted, zero]), zero, counted]);
}

function placeBack(x: string, gradient: string, cut: AxisSlice, context: RuleContext): string {
  const { builder, shapes } = context;
  const size = shapes.size(x, cut.axis);
  const all = builder.node('Range', [builder.int(0), builder.squeeze(size, [0]), builder.int(1)]);
  const taken = builder.node('Slice', [all, cut.startName(), cut.endName(), builder.ints(0), builder.ints(cut.step)]);
  return scatterAlong(context, gradient, shapes.rank(x), cut.axis, taken, size);
}
