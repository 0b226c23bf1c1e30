import { floatAttribute, type GraphNode, intAttribute } from '../graph/graph.ts';
import { firstOutput, fixedSize, inputAt, knownDims, type LoweringContext, once, unsupported } from './loweringContext.ts';
import { rotate, tableRows } from './rotate.ts';

/** RotaryEmbedding of ai.onnx (opset 23): x, cos, sin, position ids. Without position ids the tables are [batch, tokens, rotated / 2]. */
export function lowerOnnxRotary(node: GraphNode, context: LoweringContext): void {
  const [x = '', cos = '', sin = ''] = node.inputs;
  rotateNode(node, context, x, cos, sin, inputAt(node, 3), inputAt(node, 3) === null);
}

/** RotaryEmbedding of com.microsoft: x, position ids ([1]: where the first token stands, or [batch, tokens]), cos, sin. */
export function lowerMicrosoftRotary(node: GraphNode, context: LoweringContext): void {
  const { builder } = context;
  const [x = '', positions = '', cos = '', sin = ''] = node.inputs;
  const scale = floatAttribute(node, 'scale', 1);
  if (scale !== 1) throw unsupported(node, `its scale is ${scale}`);
  if (knownDims(context, positions)?.length !== 1) return rotateNode(node, context, x, cos, sin, positions, false);
  const axis = knownDims(context, x)?.length === 4 ? 2 : 1;
  const counted = once(context, `positions from ${positions} ${axis}`, () => {
    const tokens = builder.node('Gather', [builder.shape(x), builder.int(axis)]);
    const places = builder.node('Range', [builder.int(0), tokens, builder.int(1)]);
    return builder.unsqueeze(builder.add(places, positions), [0]); // [1, tokens]
  });
  rotateNode(node, context, x, cos, sin, counted, false);
}

function rotateNode(
  node: GraphNode,
  context: LoweringContext,
  x: string,
  cos: string,
  sin: string,
  positions: string | null,
  tablesAreRows: boolean,
): void {
  const { builder } = context;
  const isSplit = (knownDims(context, x)?.length ?? 0) === 4;
  const width = fixedSize(context, node, x, -1);
  const tableWidth = 2 * fixedSize(context, node, cos, -1);
  const rotated = intAttribute(node, 'rotary_embedding_dim', 0) || tableWidth;
  const heads = intAttribute(node, 'num_heads', 0);
  const headSize = isSplit ? width : heads > 0 ? width / heads : rotated;
  const axis = isSplit ? 1 : 2;
  const rows = (table: string) =>
    tablesAreRows
      ? once(context, `rows ${table} ${axis}`, () => builder.unsqueeze(table, [axis]))
      : tableRows(context, table, positions, x, axis);
  const split = isSplit ? x : builder.reshape(x, [0, 0, -1, headSize]);
  const turned = rotate(builder, split, rows(cos), rows(sin), {
    headSize,
    rotated,
    interleaved: intAttribute(node, 'interleaved', 0) === 1,
  });
  if (isSplit) builder.node('Identity', [turned], {}, { output: firstOutput(node) });
  else builder.node('Reshape', [turned, builder.ints(0, 0, -1)], {}, { output: firstOutput(node) });
}
