import type { Model } from '../../model/model.ts';
import { writeThrough } from '../activations/writeThrough.ts';

/**
 * What neurons write into the residual stream for each unit they are active: their columns of the down-projection, [N, D].
 * @throws as `writeThrough`
 */
export async function neuronWrites(
  model: Model,
  neurons: readonly { readonly layer: number; readonly neuron: number }[],
  signal?: AbortSignal,
): Promise<Float32Array> {
  const { hidden, neurons: width } = model.info;
  const output = new Float32Array(neurons.length * hidden);
  for (const layer of new Set(neurons.map((each) => each.layer))) {
    const places = neurons.flatMap((each, place) => (each.layer === layer ? [place] : []));
    const rows = new Float32Array(places.length * width);
    places.forEach((place, row) => {
      rows[row * width + (neurons[place]?.neuron ?? 0)] = 1;
    });
    const { outputs } = await writeThrough(model, 'neurons', [{ layer, rows }], signal);
    places.forEach((place, row) => {
      output.set((outputs[0] as Float32Array).subarray(row * hidden, (row + 1) * hidden), place * hidden);
    });
  }
  return output;
}

/** ‖row‖ of each row of [N, width]. */
export function rowNorms(rows: Float32Array, width: number): number[] {
  return Array.from({ length: rows.length / width }, (_, row) =>
    Math.sqrt(rows.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value * value, 0)),
  );
}
