import type { Translate } from '../translate.ts';

/** A phase that needs memory carries the estimate behind its name: `gradient (0.6 GB)`. */
const withMemory = /^(.+) \((\d[\d.,]* [kMGT]?B)\)$/;

/** The engine's name of a phase in the user's words; an unknown one is shown as it is. */
export function phaseText(phase: string, t: Translate): string {
  const [, name, memory] = withMemory.exec(phase) ?? [];
  if (name !== undefined && memory !== undefined) return t('{0}, {1} of memory', phaseText(name, t), memory);
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
    case 'lime':
      return t('leaving units out');
    case 'gradient':
    case 'loupe':
    case 'saliency':
    case 'input-x-gradient':
    case 'attention-x-gradient':
      return t('taking the gradient');
    case 'integrated-gradients':
      return t('taking gradients along the path');
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
