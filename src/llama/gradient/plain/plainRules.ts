/** The plain form of every rule in `../rules/ruleTable.ts`; a test compares the two lists. */
import { gatedUnit, unary } from './activations.ts';
import { add, clamp, divide, multiply, repeat, scale, square, squareRoot, subtract, sumRows } from './elementwise.ts';
import { concatenate, getRows, permute, sameElements, setRows, transpose, view } from './places.ts';
import type { PlainRuleTable } from './plainRule.ts';
import { expertProduct, matrixProduct } from './products.ts';
import { norm, rmsNorm, rotaryEmbedding, softmax } from './rows.ts';

export const plainRules: PlainRuleTable = {
  ADD: add,
  CLAMP: clamp,
  CONCAT: concatenate,
  CONT: sameElements,
  CPY: sameElements,
  DIV: divide,
  DUP: sameElements,
  GET_ROWS: getRows,
  GLU: gatedUnit,
  MUL: multiply,
  MUL_MAT: matrixProduct,
  MUL_MAT_ID: expertProduct,
  NORM: norm,
  PERMUTE: permute,
  REPEAT: repeat,
  RESHAPE: sameElements,
  RMS_NORM: rmsNorm,
  ROPE: rotaryEmbedding,
  SCALE: scale,
  SET_ROWS: setRows,
  SOFT_MAX: softmax,
  SQR: square,
  SQRT: squareRoot,
  SUB: subtract,
  SUM_ROWS: sumRows,
  TRANSPOSE: transpose,
  UNARY: unary,
  VIEW: view,
};
