/** The vectors that decide what the place of the answer looks at. */
import type { Model } from '../../model/model.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { ToolContext } from '../tools/tool.ts';
import type { StudiedPrompt } from './caseStudy.ts';

/** Query vectors of one layer at the place of the answer, [prompts][heads · head size]. */
export async function answerQueries(
  model: Model,
  prompts: readonly Int32Array[],
  layer: number,
  signal: AbortSignal,
): Promise<Float32Array[]> {
  const queries: Float32Array[] = [];
  for (const ids of prompts) {
    const { captured, nonFinite } = await model.forward({ tokens: ids, capture: [{ site: { kind: 'q', layer } }] }, { signal });
    const tensor = captured.get(`q.${layer}`);
    if (nonFinite !== null || tensor === undefined) throw numeric(nonFinite ?? `q.${layer}`);
    const width = tensor.data.length / ids.length;
    queries.push(tensor.data.slice((ids.length - 1) * width));
  }
  return queries;
}

/**
 * Mean key vector of each class's labels in one layer, [classes][heads · head size]; a key that several heads share is there once for
 * each of them.
 */
export async function classKeys(
  { model, signal }: Pick<ToolContext, 'model' | 'signal'>,
  { ids, places, fewShot }: Pick<StudiedPrompt, 'ids' | 'places' | 'fewShot'>,
  layer: number,
): Promise<Float64Array[]> {
  const { captured, nonFinite } = await model.forward({ tokens: ids, capture: [{ site: { kind: 'k', layer } }] }, { signal });
  const tensor = captured.get(`k.${layer}`);
  if (nonFinite !== null || tensor === undefined) throw numeric(nonFinite ?? `k.${layer}`);
  const [, keyHeads = 1, headSize = 1] = tensor.shape;
  const { heads } = model.info;
  const shared = heads / keyHeads;
  return fewShot.classes.map((_name, index) => {
    const own = places.labels.filter((_label, example) => places.classOf[example] === index);
    return Float64Array.from({ length: heads * headSize }, (_, at) => {
      const keyHead = Math.floor(Math.floor(at / headSize) / shared);
      const column = keyHead * headSize + (at % headSize);
      return own.reduce((sum, label) => sum + (tensor.data[label * keyHeads * headSize + column] as number), 0) / own.length;
    });
  });
}
