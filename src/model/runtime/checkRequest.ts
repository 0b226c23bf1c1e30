/** Everything of a request that could make native code read out of bounds is refused here. */
import { type ModelInfo, outputWidth, type Positions, type RowRead } from '../model.ts';
import { contextOverflow, tokenRange } from '../../shared/errorCatalog.ts';

/** @throws E_TOKEN_RANGE, E_CONTEXT_OVERFLOW */
export function checkTokens(tokens: Int32Array, info: ModelInfo): void {
  if (tokens.length === 0) throw tokenRange('there are no tokens to evaluate', 'a forward pass needs at least one');
  if (tokens.length > info.contextLength) throw contextOverflow(tokens.length, info.contextLength);
  for (const token of tokens) checkToken(token, info);
}

/** @throws E_TOKEN_RANGE */
export function checkReads(reads: readonly RowRead[], length: number, info: ModelInfo): void {
  for (const read of reads) {
    checkPosition(read.position, length);
    for (const id of read.ids) checkOutput(id, info);
    for (const values of [read.reference, read.weights]) {
      if (values === undefined || values.length === outputWidth(info)) continue;
      throw tokenRange(`${values.length} numbers do not fit`, `a row of logits has ${outputWidth(info)}`);
    }
  }
}

/** Positions as numbers, in the order given. @throws E_TOKEN_RANGE */
export function resolvePositions(positions: Positions, length: number): number[] {
  if (positions === 'all') return Array.from({ length }, (_, index) => index);
  if (positions === 'last') return [length - 1];
  for (const position of positions) checkPosition(position, length);
  return [...positions];
}

/** @throws E_TOKEN_RANGE */
export function checkPosition(position: number, length: number): void {
  if (Number.isInteger(position) && position >= 0 && position < length) return;
  throw tokenRange(`there is no position ${position}`, `the sequence has ${length} tokens, counted from 0`);
}

function checkOutput(id: number, info: ModelInfo): void {
  if (info.task === undefined) return checkToken(id, info);
  if (Number.isInteger(id) && id >= 0 && id < outputWidth(info)) return;
  throw tokenRange(`there is no output ${id}`, `the model has ${outputWidth(info)} of them, counted from 0`);
}

/** @throws E_TOKEN_RANGE */
export function checkToken(id: number, info: Pick<ModelInfo, 'vocabulary'>): void {
  if (Number.isInteger(id) && id >= 0 && id < info.vocabulary) return;
  throw tokenRange(`there is no token ${id}`, `the vocabulary has ${info.vocabulary} tokens, counted from 0`);
}
