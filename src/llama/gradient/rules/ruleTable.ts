/** Every operator a gradient can be taken through. Adding one is one file and one line here. */
import { add } from './add.ts';
import { clamp } from './clamp.ts';
import { concatenate } from './concatenate.ts';
import { divide } from './divide.ts';
import { expertProduct } from './expertProduct.ts';
import { gatedUnit } from './gatedUnit.ts';
import { getRows } from './getRows.ts';
import { matrixProduct } from './matrixProduct.ts';
import { multiply } from './multiply.ts';
import { norm } from './norm.ts';
import { permute, transpose } from './permute.ts';
import { repeat } from './repeat.ts';
import { contiguousCopy, copy, duplicate, reshape } from './reshape.ts';
import { rmsNorm } from './rmsNorm.ts';
import { rotaryEmbedding } from './rotaryEmbedding.ts';
import type { RuleTable } from './rule.ts';
import { scale } from './scale.ts';
import { setRows } from './setRows.ts';
import { softmax } from './softmax.ts';
import { square } from './square.ts';
import { squareRoot } from './squareRoot.ts';
import { subtract } from './subtract.ts';
import { sumRows } from './sumRows.ts';
import { unary } from './unary.ts';
import { view } from './view.ts';

export const operatorRules: RuleTable = new Map(
  [
    add,
    clamp,
    concatenate,
    contiguousCopy,
    copy,
    divide,
    duplicate,
    expertProduct,
    gatedUnit,
    getRows,
    matrixProduct,
    multiply,
    norm,
    permute,
    repeat,
    reshape,
    rmsNorm,
    rotaryEmbedding,
    scale,
    setRows,
    softmax,
    square,
    squareRoot,
    subtract,
    sumRows,
    transpose,
    unary,
    view,
  ].map((rule) => [rule.operator, rule]),
);
