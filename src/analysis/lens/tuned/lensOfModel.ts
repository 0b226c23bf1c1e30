import { toolParameter } from '../../../shared/toolErrors.ts';
import type { Warning } from '../../../shared/explanation.ts';
import type { Block } from '../../../shared/inspection/blocks.ts';
import type { ToolContext } from '../../tools/tool.ts';
import { trainTunedLens, type TunedLens } from './tunedLens.ts';
import { decodeTunedLens, encodeTunedLens } from './tunedLensFile.ts';

const file = 'tuned-lens.safetensors';
/** Numbers of all maps together, 1 GB; the sums they are fitted from take four times as much. */
const mostNumbers = 256 * 1024 * 1024;
/** Found on the bundled model: smaller ones follow a few thousand tokens too closely, larger ones tell too little. */
const ridge = 0.1;

/**
 * The tuned lens of the loaded model: trained on the text that was given and kept, or read back.
 * @throws E_TOOL_PARAMETER when there is none and no text, or no room for one; E_OUTPUT_UNWRITABLE, E_DISK_FULL
 */
export async function tunedLensOf({ model, parameters, store, signal, progress }: ToolContext): Promise<{
  readonly lens: TunedLens;
  readonly warnings: readonly Warning[];
}> {
  const { layers, hidden } = model.info;
  const text = String(parameters.train);
  if (text === '') {
    const bytes = await store.read(file);
    const lens = bytes === null ? null : decodeTunedLens(bytes, layers, hidden);
    if (lens !== null) return { lens, warnings: [] };
    throw toolParameter(
      'lens',
      'reading',
      'no tuned lens of this model has been trained yet',
      'give a text to train it on: train',
    );
  }
  if ((layers - 1) * hidden ** 2 > mostNumbers) {
    throw toolParameter(
      'lens',
      'train',
      'the maps of a model of this size would take more than a gigabyte',
      'use the plain lens',
    );
  }
  const { tokens } = await model.tokenizer.encode(text, { parseSpecial: false });
  const limit = Number(parameters['train-tokens']);
  if (tokens.length < 4)
    throw toolParameter('lens', 'train', 'the text has less than four tokens', 'give a text of some thousand words');
  const ids = Int32Array.from(tokens.slice(0, limit), (token) => token.id);
  await store.ready();
  const lens = await trainTunedLens(model, ids, {
    ridge,
    signal,
    onProgress: (done, total) => progress('training the lens', done, total),
  });
  await store.write(file, encodeTunedLens(lens));
  const shortened = `The text has ${tokens.length} tokens; the first ${limit} were used. Raise "train-tokens" to use more.`;
  return { lens, warnings: tokens.length > limit ? [{ code: 'W_TEXT_SHORTENED', message: shortened }] : [] };
}

/** How far it helped, on text it was not fitted to. */
export function tunedBlocks({ plain, tuned, tokens }: TunedLens): Block[] {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const series = (label: string, values: readonly number[]) => ({
    label,
    points: values.map((value, layer): readonly [number, number] => [layer, value]),
  });
  const worse = tuned.filter((value, layer) => value > (plain[layer] ?? 0)).length;
  return [
    {
      kind: 'curve',
      title: 'Distance to the final prediction, on text that was held out',
      x: 'layer',
      y: 'KL(final ‖ layer), nat',
      series: [series('logit lens', plain), series('tuned lens', tuned)],
    },
    {
      kind: 'text',
      title: 'How far to trust the tuned lens',
      tone: mean(tuned) < mean(plain) ? 'finding' : 'warning',
      lines: [
        `Fitted to ${tokens} tokens. Held-out divergence, mean over layers: ${mean(tuned).toFixed(2)} nat, by the plain lens ${mean(plain).toFixed(2)}.`,
        ...(worse > 0 ? [`In ${worse} layers it is worse than the plain lens.`] : []),
      ],
    },
  ];
}
