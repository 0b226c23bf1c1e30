import type { Translate } from '../translate.ts';

/** The engine's name of a phase in the user's words; an unknown one is shown as it is. */
export function phaseText(phase: string, t: Translate): string {
  switch (phase) {
    case 'loading':
      return t('loading the model');
    case 'generating':
      return t('generating the response');
    case 'reading':
      return t('reading the prompt');
    case 'attention':
      return t('attention');
    case 'occlusion':
      return t('leaving units out');
    case 'sections':
      return t('scoring sections');
    case 'units':
      return t('scoring words');
    case 'faithfulness':
      return t('checking faithfulness');
    default:
      return phase;
  }
}
