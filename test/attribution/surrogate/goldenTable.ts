import { readFileSync } from 'node:fs';
import { goldenFile } from '../../llama/golden.ts';
import { createTableModel, tableInput } from '../tableModel.ts';

interface Shapley {
  readonly units: number[][];
  readonly modes: { readonly remove: { readonly logprob: { readonly values: number[]; readonly phi: number[] } } };
}

function read<T>(name: string, file: string): T {
  return JSON.parse(readFileSync(goldenFile(name, file), 'utf8')) as T;
}

/** The log-probability of every coalition of a golden prompt, bit u of the index = unit u. */
export function goldenTable(name: string) {
  const { units, modes } = read<Shapley>(name, 'shapley.json');
  const { values } = modes.remove.logprob;
  const rows = values.map((_value, bits) => Uint8Array.from(units, (_unit, unit) => (bits >> unit) & 1));
  return { units, values, rows };
}

/** The same table as a model. */
export function goldenGame(name: string) {
  const { units, values, rows } = goldenTable(name);
  const model = createTableModel(units, (bits) => values[bits] as number);
  return {
    units,
    values,
    rows,
    model,
    input: (parts: Parameters<typeof tableInput>[2]) => tableInput(model, units, parts),
  };
}

/** Scores by Captum and others on that table. */
export function libraryScores(name: string): Record<string, number[]> {
  return read(name, 'shapley_libs.json');
}
