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

/** Gradients of Y = scale · A B. dA = scale · G Bᵀ, and (dA)ᵀ = scale · B Gᵀ where A is read transposed. */
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
  add(a.name, () => {
    const own = a.transposed ? product(builder, b, flipped(g), scale) : product(builder, g, flipped(b), scale);
    return shapes.sumTo(own, inBatch(a.name), a.name);
  });
  add(b.name, () => {
    const own = b.transposed ? product(builder, flipped(g), a, scale) : product(builder, flipped(a), g, scale);
    return shapes.sumTo(own, inBatch(b.name), b.name);
  });
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
  const { builder, shapes, isActive } = context;
  const scale = floatAttribute(node, 'alpha', 1);
  const operands = [
    {
      name: inputOf(node, 0),
      transposed: intAttribute(node, 'transA', 0) === 1,
      batch: intAttribute(node, 'transBatchA', 0) === 1,
    },
    {
      name: inputOf(node, 1),
      transposed: intAttribute(node, 'transB', 0) === 1,
      batch: intAttribute(node, 'transBatchB', 0) === 1,
    },
  ] as const;
  const [a, b] = operands;
  if (!a.batch && !b.batch) {
    addProductGradients(context, a, b, gradient, batchOf(context, outputOf(node)), scale);
    return;
  }
  // The operand as it is multiplied, [batch..., rows, columns]; no broadcasting is allowed then.
  const laidOut = operands.map(({ name, batch, transposed }): Factor => {
    const rank = shapes.rank(name);
    return { name: batch ? builder.transpose(name, batchFirst(rank)) : name, transposed };
  }) as [Factor, Factor];
  operands.forEach((operand, index) => {
    if (!isActive(operand.name)) return;
    const g: Factor = { name: gradient, transposed: false };
    const other = laidOut[1 - index] as Factor;
    const left = index === 0;
    const own =
      left !== operand.transposed
        ? product(builder, left ? g : other, flipped(left ? other : g), scale)
        : product(builder, left ? other : flipped(other), left ? flipped(g) : g, scale);
    context.add(operand.name, () =>
      operand.batch ? builder.transpose(own, inversePermutation(batchFirst(shapes.rank(operand.name)))) : own,
    );
  });
});

/** [rows, batch..., columns] → [batch..., rows, columns] */
function batchFirst(rank: number): number[] {
  return [...range(rank - 2).map((axis) => axis + 1), 0, rank - 1];
}
