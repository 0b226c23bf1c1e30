/** Every operator a gradient can be taken through. Adding one is one file and one line here. */
import { add, divide, mean, multiply, subtract } from './arithmetic.ts';
import { concat } from './concat.ts';
import { cumulativeSum } from './cumulativeSum.ts';
import { einsum } from './einsum.ts';
import { expand } from './expand.ts';
import { clip, extreme } from './extremes.ts';
import { gather } from './gather.ts';
import { gatherElements } from './gatherElements.ts';
import { gatherND } from './gatherND.ts';
import { gemm } from './gemm.ts';
import { identity } from './identity.ts';
import { dynamicQuantizeMatMul, matMulInteger, matMulIntegerToFloat } from './integerProducts.ts';
import { fusedMatMul, matMul } from './matMul.ts';
import { matMulNBits } from './matMulNBits.ts';
import { layerNormalization, rootMeanSquareNormalization } from './norms.ts';
import { pad } from './pad.ts';
import { power } from './power.ts';
import { dequantizeLinear, dynamicQuantizeLinear, quantizeLinear } from './quantise.ts';
import { reductionRules } from './reduce.ts';
import { reshape } from './reshape.ts';
import type { RuleTable } from './rule.ts';
import { slice } from './slice.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { split } from './split.ts';
import { tile } from './tile.ts';
import { transpose } from './transpose.ts';
import { trilu } from './trilu.ts';
import { unaryRules } from './unary.ts';
import { where } from './where.ts';

/** By `operatorKey`. */
export const derivatives: RuleTable = new Map(
  Object.entries({
    ...unaryRules,
    ...reductionRules,
    Add: add,
    Sum: add,
    Mean: mean,
    Sub: subtract,
    Mul: multiply,
    Div: divide,
    Pow: power,
    Max: extreme,
    Min: extreme,
    Clip: clip,
    Where: where,
    Softmax: softmax,
    LogSoftmax: logSoftmax,
    LayerNormalization: layerNormalization,
    SimplifiedLayerNormalization: rootMeanSquareNormalization,
    RMSNormalization: rootMeanSquareNormalization,
    MatMul: matMul,
    Gemm: gemm,
    Einsum: einsum,
    'com.microsoft:FusedMatMul': fusedMatMul,
    'com.microsoft:TransposeMatMul': fusedMatMul,
    'com.microsoft:MatMulNBits': matMulNBits,
    MatMulInteger: matMulInteger,
    'com.microsoft:MatMulIntegerToFloat': matMulIntegerToFloat,
    'com.microsoft:DynamicQuantizeMatMul': dynamicQuantizeMatMul,
    DynamicQuantizeLinear: dynamicQuantizeLinear,
    QuantizeLinear: quantizeLinear,
    DequantizeLinear: dequantizeLinear,
    Identity: identity,
    Dropout: identity,
    Cast: identity,
    Reshape: reshape,
    Flatten: reshape,
    Squeeze: reshape,
    Unsqueeze: reshape,
    Transpose: transpose,
    Expand: expand,
    Concat: concat,
    Split: split,
    Slice: slice,
    Gather: gather,
    GatherElements: gatherElements,
    GatherND: gatherND,
    Pad: pad,
    Tile: tile,
    Trilu: trilu,
    CumSum: cumulativeSum,
  }),
);
