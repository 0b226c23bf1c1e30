/**
 * A model that is a table: the logit of token 0 after a prompt is looked up by which units are in it. As the whole
 * game is known, brute force is the oracle. Token 0 has log-probability logit − `logSumExp`.
 */
import type { AttributionInput } from '../../src/attribution/method.ts';
import type { Model, RowRead } from '../../src/model/model.ts';
import { inputFor, type InputParts } from './attributionInput.ts';
import { createLinearModel } from './linearModel.ts';

export interface TableModel extends Model {
  /** Prompts it was asked for, in order. */
  readonly asked: Int32Array[];
}

const firstId = 20;

/**
 * @param groups token indices of each unit
 * @param valueOf the logit where the units with bits set are present
 * @param topOf the most likely token there; default 0
 */
export function createTableModel(
  groups: readonly (readonly number[])[],
  valueOf: (bits: number) => number,
  topOf: (bits: number) => number = () => 0,
): TableModel {
  const asked: Int32Array[] = [];
  const rowOf = (tokens: Int32Array, { position, top = 0 }: RowRead) => {
    const bits = groups.reduce((set, group, unit) => (tokens.includes(firstId + (group[0] ?? 0)) ? set + 2 ** unit : set), 0);
    return {
      position,
      logSumExp: 0,
      logits: Float32Array.of(valueOf(bits)),
      ranks: Int32Array.of(1),
      top: top === 0 ? [] : [{ id: topOf(bits), logit: 0 }],
    };
  };
  return {
    ...createLinearModel(),
    asked,
    forward: ({ tokens, read = [] }) =>
      Promise.resolve({
        logits: null,
        read: read.map((row) => rowOf(tokens, row)),
        captured: new Map(),
        nonFinite: null,
      }),
    forwardVariants({ variants }, { signal, onResult } = {}) {
      signal?.throwIfAborted();
      const results = variants.map(({ tokens, read }) => {
        asked.push(tokens);
        return { read: read.map((row) => rowOf(tokens, row)) };
      });
      results.forEach((result, index) => onResult?.(index, result));
      return Promise.resolve(results);
    },
  };
}

/** The input whose units are the table's players; the explained number is the table's. */
export async function tableInput(
  model: TableModel,
  groups: readonly (readonly number[])[],
  parts: Partial<InputParts> = {},
): Promise<AttributionInput> {
  const ids = groups.flat().map((token) => firstId + token);
  return await inputFor(model, { ids, groups, spec: { kind: 'id', id: 0 }, score: 'logit', ...parts });
}
