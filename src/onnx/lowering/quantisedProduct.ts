import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.ts';
import { float } from '../graph/graphBuilder.ts';
import { firstOutput, inputAt, knownDims, type LoweringContext, unsupported } from './loweringContext.ts';

/**
 * QLinearMatMul: real operands, their product, and its rounding. ONNX Runtime joins them again where nothing inside is asked for.
 * The rounding may fall to the other side where the exact sum of whole numbers lies in the middle.
 */
export function lowerQLinearMatMul(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const [a = '', , , b = '', , , yScale = '', yZero = ''] = node.inputs;
  const rank = (whole: string) => knownDims(context, whole)?.length ?? null;
  const operands = [real(node, context, 0, rank(a), 2), real(node, context, 3, rank(b), 1)];
  builder.node('QuantizeLinear', [builder.node('MatMul', operands), yScale, yZero], {}, { output: firstOutput(node) });
}

/** com.microsoft QGemm: the same with a bias of whole numbers in units of both scales, rounded where it has a scale to round by. */
export function lowerQGemm(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const [transA, transB] = [intAttribute(node, 'transA', 0), intAttribute(node, 'transB', 0)];
  const alpha = floatAttribute(node, 'alpha', 1);
  const [bias, yScale, yZero] = [inputAt(node, 6), inputAt(node, 7), inputAt(node, 8)];
  const operands = [real(node, context, 0, 2, transA === 1 ? 1 : 2), real(node, context, 3, 2, transB === 1 ? 2 : 1)];
  const output = firstOutput(node);
  const product = builder.node('Gemm', operands, { transA, transB, alpha: float(alpha) });
  const unit = builder.multiply(node.inputs[1] ?? '', node.inputs[4] ?? '');
  const offset = bias === null ? builder.number(0) : builder.multiply(builder.castToFloat(bias), unit);
  const scaled = alpha === 1 || bias === null ? offset : builder.multiply(offset, builder.number(alpha));
  if (yScale === null) builder.node('Add', [product, scaled], {}, { output });
  else builder.node('QuantizeLinear', [builder.add(product, scaled), yScale, ...(yZero === null ? [] : [yZero])], {}, { output });
}

/**
 * An operand of a node as real numbers; its scale and zero point follow it among the inputs.
 * @param axis of the scales, where there are several, counted from the last of `rank`
 */
function real(node: GraphNode, context: LoweringContext, at: number, rank: number | null, axis: number): string {
  const { builder } = context;
  const [whole = '', scale = '', zero = ''] = node.inputs.slice(at, at + 3);
  const given = [whole, scale, ...(zero === '' ? [] : [zero])];
  const scales = knownDims(context, scale);
  if (scales === null) throw unsupported(node, `the number of scales ${JSON.stringify(scale)} cannot be known`);
  if (scales.every((size) => size === 1)) return builder.node('DequantizeLinear', given);
  if (rank === null || scales.length !== 1) throw unsupported(node, 'it has a table of scales');
  return builder.node('DequantizeLinear', given, { axis: rank - axis });
}
