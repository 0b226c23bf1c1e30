import type { RuleTable } from './rule.ts';
import { derivatives } from './rules.ts';

/** Operators that are linear in all they follow, or choose: every other set of rules keeps their derivative. */
const operators = [
  ...['Add', 'Sum', 'Mean', 'Sub', 'Neg', 'ReduceSum', 'ReduceMean', 'CumSum', 'Identity', 'Dropout', 'Cast'],
  ...['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Transpose', 'Expand', 'Concat', 'Split', 'Slice', 'Pad', 'Tile', 'Trilu'],
  ...['Gather', 'GatherElements', 'GatherND'],
  ...['com.microsoft:MatMulNBits', 'com.microsoft:MatMulIntegerToFloat', 'com.microsoft:DynamicQuantizeMatMul'],
  ...['DynamicQuantizeLinear', 'QuantizeLinear', 'DequantizeLinear'],
];

export const linearRules: RuleTable = new Map([...derivatives].filter(([key]) => operators.includes(key)));
