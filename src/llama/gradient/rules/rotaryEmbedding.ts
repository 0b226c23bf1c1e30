import { readTensorHeader } from '../../graph/tensorHeader.ts';
import { copyParameters } from '../../graph/writeTensor.ts';
import { floatParameter, integerParameter, operand } from '../tape/tape.ts';
import type { OperatorRule } from './rule.ts';

/** A rotation: its derivative turns the other way. Su et al. 2021, arXiv 2104.09864. */
export const rotaryEmbedding: OperatorRule = {
  operator: 'ROPE',
  backward({ emit, accumulate, value }, node, gradient) {
    const [, , factors = null] = node.sources;
    const back = emit.functions.ggml_rope_ext_back(
      emit.context,
      emit.contiguous(gradient).address,
      value(operand(node, 1)).address,
      factors === null ? 0 : value(factors).address,
      integerParameter(node, 1),
      integerParameter(node, 2),
      integerParameter(node, 4),
      floatParameter(node, 5),
      floatParameter(node, 6),
      floatParameter(node, 7),
      floatParameter(node, 8),
      floatParameter(node, 9),
      floatParameter(node, 10),
    );
    // Sections and offset have no argument of their own.
    accumulate(operand(node, 0), copyParameters(readTensorHeader(back).address, node.header));
  },
};
