/** Matrix products. No weight is transposed in memory: FusedMatMul reads it the other way round. */
import { float, type GraphBuilder } from '../../graph/graphBuilder.ts';
import { floatAttribute, intAttribute } from '../../graph/graph.ts';
import { type DimsPair, range } from '../shapes.ts';
import { inputOf, ofFirstOutput, outputOf, type RuleContext } from './rule.ts';
import { inversePermutation } from './transpose.ts';

interface Factor {
  readonly name: string;
  /** Whether its last two axes are swapped before it is multiplied. */
  readonly transposed: boolean;
}

/** scale · A B, over any leading axes. */
function product(builder: GraphBuilder, a: Factor, b: Factor, scale: number): string {
  if (scale === 1) return builder.matMul(a.name, b.name, { a: a.transposed, b: b.transposed });
  const attributes = { transA: a.transposed ? 1 : 0, transB: b.transposed ? 1 : 0, alpha: float(scale) };
  return builder.node('FusedMatMul', [a.name, b.name], attributes, { domain: 'com.microsoft' });
}

const flipped = ({ name, transposed }: Factor): Factor => ({ name, transposed: !transposed });

/** Y = scale · A B: dA = scale · G Bᵀ, and the transpose of that, scale · B Gᵀ, where A is read transposed. */
function leftGradient(builder: GraphBuilder, a: Factor, b: Factor, g: Factor, scale: number): string {
  return a.transposed ? product(builder, b, flipped(g), scale) : product(builder, g, flipped(b), scale);
}

/** dB = scale · Aᵀ G, and scale · Gᵀ A where B is read transposed. */
function rightGradient(builder: GraphBuilder, a: Factor, b: Factor, g: Factor, scale: number): string {
  return b.transposed ? product(builder, flipped(g), a, scale) : product(builder, flipped(a), g, scale);
}

/** @param batch leading axes of the product, to which those of A and B were broadcast */
function addProductGradients(context: RuleContext, a: Factor, b: Factor, gradient: string, batch: DimsPair, scale: number): void {
  const { builder, shapes, add } = context;
  const g: Factor = { name: gradient, transposed: false };
  const inBatch = (tensor: string): DimsPair => {
    const [first, second] = shapes.dims(tensor);
    return [
      [...batch[0], ...first.slice(-2)],
      [...batch[1], ...second.slice(-2)],
    ];
  };
  add(a.name, () => shapes.sumTo(leftGradient(builder, a, b, g, scale), inBatch(a.name), a.name));
  add(b.name, () => shapes.sumTo(rightGradient(builder, a, b, g, scale), inBatch(b.name), b.name));
}

/** Leading axes of a product. */
function batchOf(context: RuleContext, y: string): DimsPair {
  const [first, second] = context.shapes.dims(y);
  return [first.slice(0, -2), second.slice(0, -2)];
}

export const matMul = ofFirstOutput((node, gradient, context) => {
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  if (context.shapes.rank(a) === 1 || context.shapes.rank(b) === 1) {
    addVectorGradients(context, a, b, gradient);
    return;
  }
  const factor = (name: string): Factor => ({ name, transposed: false });
  addProductGradients(context, factor(a), factor(b), gradient, batchOf(context, outputOf(node)), 1);
});

/** A vector is a row at the left and a column at the right: the gradient is that of sums over products of elements. */
function addVectorGradients(context: RuleContext, a: string, b: string, gradient: string): void {
  const { builder, shapes, add } = context;
  const [rankA, rankB] = [shapes.rank(a), shapes.rank(b)];
  if (rankA === 1 && rankB === 1) {
    add(a, () => builder.multiply(gradient, b));
    add(b, () => builder.multiply(gradient, a));
  } else if (rankB === 1) {
    // g [..., M], a [..., M, K], b [K]
    const column = () => builder.unsqueeze(gradient, [rankA - 1]);
    add(a, () => builder.multiply(column(), b));
    add(b, () => builder.sum(builder.multiply(column(), a), range(rankA - 1), false));
  } else {
    // g [..., N], a [K], b [..., K, N]
    const row = () => builder.unsqueeze(gradient, [rankB - 2]);
    add(b, () => builder.multiply(row(), builder.unsqueeze(a, [1])));
    const others = [...range(rankB - 2), rankB - 1];
    add(a, () => builder.sum(builder.multiply(row(), b), others, false));
  }
}

/** com.microsoft:FusedMatMul (and its old name TransposeMatMul): alpha · A B with either transposed, also by first axis and batch axes. */
export const fusedMatMul = ofFirstOutput((node, gradient, context) => {
  const { builder, shapes, add } = context;
  const scale = floatAttribute(node, 'alpha', 1);
  const flag = (name: string) => intAttribute(node, name, 0) === 1;
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  const [movedA, movedB] = [flag('transBatchA'), flag('transBatchB')];
  if (!movedA && !movedB) {
    const factors = [
      { name: a, transposed: flag('transA') },
      { name: b, transposed: flag('transB') },
    ] as const;
    addProductGradients(context, ...factors, gradient, batchOf(context, outputOf(node)), scale);
    return;
  }
  // The operands as they are multiplied, [batch..., rows, columns]; nothing is broadcast then.
  const laidOut = (name: string, moved: boolean) => (moved ? builder.transpose(name, batchFirst(shapes.rank(name))) : name);
  const asGiven = (own: string, name: string, moved: boolean) =>
    moved ? builder.transpose(own, inversePermutation(batchFirst(shapes.rank(name)))) : own;
  const left: Factor = { name: laidOut(a, movedA), transposed: flag('transA') };
  const right: Factor = { name: laidOut(b, movedB), transposed: flag('transB') };
  const g: Factor = { name: gradient, transposed: false };
  add(a, () => asGiven(leftGradient(builder, left, right, g, scale), a, movedA));
  add(b, () => asGiven(rightGradient(builder, left, right, g, scale), b, movedB));
});

/** [rows, batch..., columns] → [batch..., rows, columns] */
function batchFirst(rank: number): number[] {
  return [...range(rank - 2).map((axis) => axis + 1), 0, rank - 1];
}
