/** The attribution methods a user can pick. The engine holds the methods themselves; a test compares the ids. */
import type { MethodChoice } from '../../shared/protocol/panel.ts';
import type { Translate } from '../translate.ts';

export function methodChoices(t: Translate): MethodChoice[] {
  return [
    {
      id: 'saliency',
      label: t('Saliency'),
      assumption: t('How strongly a small change of each token’s embedding would move the target. A size: it has no sign.'),
      cost: t('One forward and one backward pass.'),
    },
    {
      id: 'input-x-gradient',
      label: t('Input × gradient'),
      assumption: t(
        'Each token’s embedding times the gradient of the target. Signed and exact to first order; blind where the model is saturated.',
      ),
      cost: t('One forward and one backward pass.'),
    },
    {
      id: 'integrated-gradients',
      label: t('Integrated gradients'),
      assumption: t(
        'Input × gradient along a path from a baseline. Signed; the scores should add up, and the picture says how far they do not.',
      ),
      cost: t('Twenty forward and backward passes, more while the scores do not add up.'),
    },
    {
      id: 'attention-x-gradient',
      label: t('Attention × gradient'),
      assumption: t(
        'Every attention weight times its gradient, gathered for the token that is looked at. Sees what flows through attention, not the rest.',
      ),
      cost: t('One forward and one backward pass.'),
    },
    {
      id: 'occlusion',
      label: t('Occlusion'),
      assumption: t(
        'Leaves out one unit at a time and measures how far the target moves. Exact for single units; blind to what only acts together.',
      ),
      cost: t('One forward pass for each unit.'),
    },
    {
      id: 'attention',
      label: t('Attention'),
      assumption: t(
        'Where the last layer looks. Fast, but attention is not attribution: it does not show what changed the answer.',
      ),
      cost: t('One forward pass.'),
    },
    {
      id: 'random',
      label: t('Random (control)'),
      assumption: t('Random scores. A method that is not better than this one should not be trusted.'),
      cost: t('No pass.'),
    },
  ];
}

/** The same in every language. */
export const methodIds: readonly string[] = methodChoices((message) => message).map(({ id }) => id);
