/** The engine's methods as a user reads them: translated, in their families, with cost and what stands in the way. */
import type { MethodDescription, ModelSummary } from '../../shared/protocol/engine.ts';
import type { MethodChoice } from '../../shared/protocol/panel.ts';
import type { Translate } from '../translate.ts';

/**
 * One choice a method, in the engine's order of families. The engine speaks English; a text that the bundles know is translated,
 * any other is shown as it is.
 */
export function methodChoices(
  methods: readonly MethodDescription[],
  model: Pick<ModelSummary, 'name' | 'format' | 'hasGradients'> | null,
  t: Translate,
): MethodChoice[] {
  const families = [...new Set(methods.map(({ family }) => family))];
  return families.flatMap((family) =>
    methods
      .filter((method) => method.family === family)
      .map((method) => ({
        id: method.id,
        family: familyLabel(family, t),
        label: t(method.label),
        assumption: t(method.assumption),
        cost: costText(method.forwardPasses, t),
        unavailable: method.available ? null : unavailableText(model, t),
      })),
  );
}

/** The method's name for a reader; its id where the engine has not told it. */
export function methodLabel(methods: readonly MethodDescription[], id: string, t: Translate): string {
  const label = methods.find((method) => method.id === id)?.label;
  return label === undefined ? id : t(label);
}

/** `gradient` → `Gradient`, translated where it is known. */
export function familyLabel(family: string, t: Translate): string {
  return t(family.charAt(0).toUpperCase() + family.slice(1));
}

function costText(forwardPasses: number, t: Translate): string {
  if (forwardPasses === 0) return t('no forward pass');
  const rounded = forwardPasses < 10 ? Number(forwardPasses.toPrecision(2)) : Math.round(forwardPasses);
  return rounded === 1 ? t('about 1 forward pass') : t('about {0} forward passes', rounded);
}

function unavailableText(model: Pick<ModelSummary, 'name' | 'format' | 'hasGradients'> | null, t: Translate): string {
  if (model === null) return t('not possible with this model');
  // A file that is loaded here can be looked into, so only gradients can be missing.
  if (model.format !== 'remote' && !model.hasGradients) return t('{0} gives no gradients', model.name);
  return t('not possible with {0}', model.name);
}
