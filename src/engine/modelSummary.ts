import { abilitiesOf } from '../analysis/tools/chooseTool.ts';
import type { ModelInfo } from '../model/model.ts';
import type { ModelSummary } from '../shared/protocol/engine.ts';

/** What the editor and the command line show of a model. */
export function modelSummary(info: ModelInfo): ModelSummary {
  return {
    name: info.name,
    file: info.file,
    sha256: info.sha256,
    format: info.format,
    ...(info.task === undefined ? {} : { task: info.task }),
    architecture: info.architecture,
    quantization: info.quantization,
    precision: info.precision,
    layers: info.layers,
    heads: info.heads,
    kvHeads: info.kvHeads,
    hidden: info.hidden,
    vocabulary: info.vocabulary,
    contextLength: info.contextLength,
    fileBytes: info.fileBytes,
    sharesBeginnings: info.sharesBeginnings,
    hasChatTemplate: info.can.chat,
    hasGradients: info.can.gradient,
    can: abilitiesOf(info),
    notes: info.notes,
    ...(info.provider === undefined ? {} : { provider: info.provider }),
    ...(info.graph === undefined ? {} : { graph: info.graph }),
  };
}
