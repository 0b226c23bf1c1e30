import { tokenizerUnsupported } from '../../shared/modelFolderErrors.ts';
import type { PostProcessorConfiguration } from './tokenizerFile.ts';

/** Ids that are put around every prompt when special tokens are wanted: `[CLS] … [SEP]`, `<s> …`. */
export interface Affixes {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** What the `post_processor` of tokenizer.json adds to one text. @throws E_TOKENIZER_UNSUPPORTED */
export function readAffixes(configuration: PostProcessorConfiguration | null): Affixes {
  switch (configuration?.type) {
    case undefined:
    case 'ByteLevel':
      return { before: [], after: [] };
    case 'BertProcessing':
    case 'RobertaProcessing':
      return { before: [configuration.cls[1]], after: [configuration.sep[1]] };
    case 'Sequence':
      return configuration.processors
        .map(readAffixes)
        .reduce((inner, outer) => ({ before: [...outer.before, ...inner.before], after: [...inner.after, ...outer.after] }), {
          before: [],
          after: [],
        });
    case 'TemplateProcessing':
      return readTemplate(configuration);
  }
}

function readTemplate({ single, special_tokens }: Extract<PostProcessorConfiguration, { type: 'TemplateProcessing' }>): Affixes {
  const places = single.flatMap((part, index) => ('Sequence' in part && part.Sequence.id === 'A' ? [index] : []));
  const [text] = places;
  if (text === undefined || places.length > 1 || single.some((part) => 'Sequence' in part && part.Sequence.id === 'B')) {
    throw tokenizerUnsupported('its template does not hold the text exactly once');
  }
  const ids = (parts: typeof single) =>
    parts.flatMap((part) => {
      if (!('SpecialToken' in part)) return [];
      const known = special_tokens[part.SpecialToken.id];
      if (known === undefined)
        throw tokenizerUnsupported(`its template names a token without an id: ${part.SpecialToken.id.slice(0, 50)}`);
      return known.ids;
    });
  return { before: ids(single.slice(0, text)), after: ids(single.slice(text + 1)) };
}
