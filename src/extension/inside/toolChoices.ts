/** The engine's tools as a user reads them: translated where the bundles know the text, in their families. */
import type { ToolChoice } from '../../shared/protocol/insidePanel.ts';
import type { ToolDescription, ToolFamily } from '../../shared/protocol/tools.ts';
import type { Translate } from '../translate.ts';

/** One choice a tool, families in the order in which the engine first names them. */
export function toolChoices(tools: readonly ToolDescription[], model: string | null, t: Translate): ToolChoice[] {
  const families = [...new Set(tools.map(({ family }) => family))];
  return families.flatMap((family) =>
    tools
      .filter((tool) => tool.family === family)
      .map(({ id, label, question, parameters, usesTarget, available, missing }) => ({
        id,
        family: toolFamilyLabel(family, t),
        label: t(label),
        question: t(question),
        parameters: parameters.map((parameter) => ({ ...parameter, label: t(parameter.label), help: t(parameter.help) })),
        usesTarget,
        unavailable: available ? null : unavailableText(missing, model, t),
      })),
  );
}

function toolFamilyLabel(family: ToolFamily, t: Translate): string {
  switch (family) {
    case 'layers':
      return t('Layers');
    case 'heads':
      return t('Attention heads');
    case 'neurons':
      return t('Neurons');
    case 'causal':
      return t('Cause and effect');
    case 'counterfactual':
      return t('Other prompts');
    case 'in-context':
      return t('Examples in the prompt');
    case 'self-explanation':
      return t('What the model says of itself');
  }
}

function unavailableText(missing: ToolDescription['missing'], model: string | null, t: Translate): string {
  const name = model ?? t('this model');
  switch (missing) {
    case 'capture':
      return t('{0} cannot be looked into', name);
    case 'patch':
      return t('{0} cannot be changed inside a pass', name);
    case 'gradient':
      return t('{0} gives no gradients', name);
    case 'language':
      return t('{0} predicts no tokens', name);
    case 'forward':
    case undefined:
      return t('not possible with {0}', name);
  }
}
