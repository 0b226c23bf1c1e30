import type { GenerateRequest, GeneratedToken, Generation } from '../../model/model.ts';
import type { ModelTask } from '../../shared/modelTask.ts';
import type { Cancellation } from '../../model/runtime/cancellation.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { OnnxEvaluator } from './evaluator.ts';
import { forward } from './forward.ts';

/** What a model that writes no text answers: a classifier its most likely class, a sentence encoder nothing. @throws as `forward`; E_NUMERIC */
export async function answer(
  evaluator: OnnxEvaluator,
  task: ModelTask,
  { tokens, top, maxTokens }: GenerateRequest,
  cancellation: Cancellation,
  onToken: ((token: GeneratedToken) => void) | undefined,
): Promise<Generation> {
  if (task.kind === 'embed' || maxTokens < 1) return { tokens: [], text: '', finish: 'stop' };
  const listed = Math.max(1, top);
  const { read, nonFinite } = await forward(
    evaluator,
    { tokens, read: [{ position: tokens.length - 1, ids: [], top: listed }] },
    cancellation,
  );
  const [row] = read;
  if (nonFinite !== null || row === undefined) throw numeric(nonFinite ?? 'logits');
  const ranked = row.top.map(({ id, logit }) => ({ id, text: task.labels[id] ?? '', logprob: logit - row.logSumExp }));
  const [best] = ranked;
  if (best === undefined) throw numeric('logits');
  const token: GeneratedToken = { ...best, alternatives: top > 0 ? ranked : [] };
  onToken?.(token);
  return { tokens: [token], text: token.text, finish: 'stop' };
}
