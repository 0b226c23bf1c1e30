import type { ModelInfo } from '../model/model.ts';
import type { ModelSummary } from '../shared/protocol/engine.ts';

/** What the editor and the command line show of a model. */
export function modelSummary({ headSize: _headSize, neurons: _neurons, can, ...shown }: ModelInfo): ModelSummary {
  return { ...shown, hasChatTemplate: can.chat };
}
