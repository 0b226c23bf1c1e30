import { attributionMethods, supportedMethods } from '../../attribution/registry.ts';
import type { MethodDescription, ModelSummary } from '../../shared/protocol/engine.ts';

/** What the picker shows. Without a model in memory every method counts as available. */
export function describeMethods(units: number, model: ModelSummary | null): MethodDescription[] {
  const supported = model === null ? null : supportedMethods(model.can);
  return attributionMethods.map((method) => ({
    id: method.id,
    family: method.family,
    label: method.label,
    assumption: method.assumption,
    forwardPasses: method.cost(units, model?.sharesBeginnings ?? true),
    parameters: method.parameters.map((parameter) => ({ ...parameter })),
    ...(method.optIn === undefined ? {} : { optIn: method.optIn }),
    available: supported === null || supported.includes(method.id),
  }));
}
