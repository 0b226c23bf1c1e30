/** Attention scores, read where the softmax is about to take them. */
import type { Tensor } from '../../model/model.ts';
import { readTensorHeader } from '../graph/tensorHeader.ts';
import type { NativeFunctions, Pointer } from '../native/functions.ts';
import { wholeSite } from '../../model/runtime/captureTensor.ts';
import { TensorVectors } from './siteData.ts';

/**
 * [H, T, T]: scaled, and −∞ where the mask forbids a key, as the softmax sees them.
 * @param softmax address of the SOFT_MAX tensor, not yet computed: its operands are the raw scores and the mask
 */
export function readScores(functions: NativeFunctions, softmax: Pointer, tokens: number, heads: number): Tensor {
  const { sources, operatorParameters } = readTensorHeader(softmax);
  const [rawScores = 0, mask = 0] = sources;
  const scale = operatorParameters.getFloat32(0, true);
  const scores = wholeSite(read(functions, rawScores, tokens, heads), 'attention');
  const { data } = scores;
  for (let index = 0; index < data.length; index++) data[index] = (data[index] as number) * scale;
  if (mask === 0) return scores;
  const masks = read(functions, mask, tokens, 1);
  for (let head = 0; head < heads; head++) {
    for (let query = 0; query < tokens; query++) {
      const start = masks.offset(query, 0);
      const row = (head * tokens + query) * tokens;
      for (let key = 0; key < tokens; key++) {
        if (masks.raw[start + key] === Number.NEGATIVE_INFINITY) data[row + key] = Number.NEGATIVE_INFINITY;
      }
    }
  }
  return scores;
}

function read(functions: NativeFunctions, address: Pointer, tokens: number, heads: number) {
  return new TensorVectors(readTensorHeader(address), 'attention', heads, tokens).read(functions);
}
