import { elementTypes, type GraphNode, intAttribute } from '../../graph/graph.ts';
import { inputOf, ofFirstOutput, type RuleContext } from './rule.ts';

/**
 * com.microsoft:MatMulNBits, Y = A Wᵀ with W [N, K] in blocks of 4 or 8 bits: dA = G W. W is unpacked from the same initializer by
 * GatherBlockQuantized, exactly; activations that were rounded on the way forward (accuracy level 4) are passed straight through.
 */
export const matMulNBits = ofFirstOutput((node, gradient, context) => {
  context.add(inputOf(node, 0), () => context.builder.matMul(gradient, unpackedWeight(node, context)));
});

/** [N, K] float32, once for all nodes that share the packed weight. */
function unpackedWeight(node: GraphNode, context: RuleContext): string {
  const { builder, shapes, once, refusal } = context;
  const [packed, scales, zeros, groupIndex] = [inputOf(node, 1), inputOf(node, 2), inputOf(node, 3), inputOf(node, 4)];
  const [columns, rows] = [intAttribute(node, 'K', 0), intAttribute(node, 'N', 0)];
  const [bits, block] = [intAttribute(node, 'bits', 4), intAttribute(node, 'block_size', 0)];
  if (bits !== 4 && bits !== 8) throw refusal(`its weight has ${bits} bits, and only 4 and 8 can be unpacked`);
  if (groupIndex !== '') throw refusal('its weight is grouped by an index (g_idx)');
  if (block < 16 || columns < 1 || rows < 1)
    throw refusal(`its block size ${block} or its sizes ${rows} × ${columns} cannot be right`);
  return once(`unpacked ${packed} ${scales} ${zeros}`, () => {
    const blocks = Math.ceil(columns / block);
    const whole = zeros !== '' && shapes.facts(zeros).type === elementTypes.uint8;
    const inputs = [
      builder.reshape(packed, [rows, (blocks * block * bits) / 8]),
      builder.node('Range', [builder.int(0), builder.int(rows), builder.int(1)]),
      builder.reshape(scales, [rows, blocks]),
      ...(whole ? [builder.reshape(zeros, [rows, Math.ceil((blocks * bits) / 8)])] : []),
    ];
    const attributes = { bits, block_size: block, gather_axis: 0, quantize_axis: 1 };
    const unpacked = builder.node('GatherBlockQuantized', inputs, attributes, { domain: 'com.microsoft' });
    const shifted =
      zeros === '' || whole ? unpacked : withRealZeros(context, unpacked, scales, zeros, { rows, blocks, block, bits });
    return blocks * block === columns ? shifted : builder.slice(shifted, 1, 0, columns);
  });
}

/** Zero points that are no whole numbers: unpacked with the middle of the range, (q − 2ᵇ⁻¹) s, then corrected to (q − z) s. */
function withRealZeros(
  { builder }: RuleContext,
  unpacked: string,
  scales: string,
  zeros: string,
  { rows, blocks, block, bits }: { rows: number; blocks: number; block: number; bits: number },
): string {
  const perBlock = [rows, blocks, 1];
  const distance = builder.subtract(builder.number(2 ** (bits - 1)), builder.reshape(zeros, perBlock));
  const correction = builder.multiply(distance, builder.reshape(scales, perBlock));
  const corrected = builder.add(builder.reshape(unpacked, [rows, blocks, block]), correction);
  return builder.reshape(corrected, [rows, blocks * block]);
}
