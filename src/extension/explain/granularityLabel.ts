import type { Granularity } from '../../shared/tokens.ts';
import type { Translate } from '../translate.ts';

export function granularityLabel(granularity: Granularity, t: Translate): string {
  switch (granularity) {
    case 'token':
      return t('Token');
    case 'word':
      return t('Word');
    case 'sentence':
      return t('Sentence');
    case 'line':
      return t('Line');
    case 'paragraph':
      return t('Paragraph');
    case 'section':
      return t('Section');
  }
}
