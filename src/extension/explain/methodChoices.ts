/** The attribution methods a user can pick. The engine holds the methods themselves; a test compares the ids. */
import type { MethodChoice } from '../../shared/protocol/panel.ts';
import type { Translate } from '../translate.ts';

export const methodIds = ['occlusion', 'attention', 'random'] as const;

export function methodChoices(t: Translate): MethodChoice[] {
  return [
    {
      id: 'occlusion',
      label: t('Occlusion'),
      assumption: t(
        'Leaves out one unit at a time and measures how far the target moves. Exact for single units; blind to what only acts together.',
      ),
    },
    {
      id: 'attention',
      label: t('Attention'),
      assumption: t(
        'Where the last layer looks. Fast, but attention is not attribution: it does not show what changed the answer.',
      ),
    },
    {
      id: 'random',
      label: t('Random (control)'),
      assumption: t('Random scores. A method that is not better than this one should not be trusted.'),
    },
  ];
}
