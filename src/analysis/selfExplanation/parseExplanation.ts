/** What a model says of its own answer, out of whatever text it wrote. */
import * as v from 'valibot';
import { jsonInText } from './jsonInText.ts';
import { confidenceOf, statedConfidence } from './parseConfidence.ts';

export interface StatedWord {
  readonly word: string;
  readonly why: string;
}

export interface StatedExplanation {
  /** How it was read: the JSON asked for, pieces of JSON that was broken or cut off, a list, or nothing at all. */
  readonly form: 'json' | 'fragments' | 'list' | 'none';
  /** Most important first, as stated. */
  readonly words: readonly StatedWord[];
  /** [0, 1]; null where none was stated. */
  readonly confidence: number | null;
}

const text = v.optional(v.fallback(v.string(), ''), '');
const wordSchema = v.union([
  v.pipe(
    v.string(),
    v.transform((word): StatedWord => ({ word, why: '' })),
  ),
  v.pipe(
    v.object({ word: v.string(), why: text, reason: text }),
    v.transform(({ word, why, reason }): StatedWord => ({ word, why: why === '' ? reason : why })),
  ),
]);
const listSchema = v.pipe(v.array(wordSchema), v.minLength(1));
const objectSchema = v.object({ words: listSchema, confidence: v.optional(v.unknown()) });

export function parseExplanation(response: string): StatedExplanation {
  for (const candidate of jsonInText(response)) {
    const whole = v.safeParse(objectSchema, candidate);
    if (whole.success) {
      const { words, confidence } = whole.output;
      return { form: 'json', words, confidence: confidenceOf(confidence) ?? statedConfidence(response) };
    }
    const list = v.safeParse(listSchema, candidate);
    if (list.success) return { form: 'json', words: list.output, confidence: statedConfidence(response) };
  }
  const confidence = statedConfidence(response);
  const fragments = [
    ...response.matchAll(/"word"\s*:\s*"((?:[^"\\]|\\.)+)"(?:\s*,\s*"(?:why|reason)"\s*:\s*"((?:[^"\\]|\\.)*)")?/gu),
  ];
  if (fragments.length > 0) {
    return { form: 'fragments', words: fragments.map(([, word = '', why = '']) => ({ word, why })), confidence };
  }
  const words = listed(response);
  return { form: words.length > 0 ? 'list' : 'none', words, confidence };
}

/** Lines that begin with a number or a bullet: `1. "not" - because …`, `- **Paris**: the city`. */
function listed(response: string): StatedWord[] {
  return response.split(/\r?\n/u).flatMap((line): StatedWord[] => {
    const item = /^\s*(?:\d+[.)]|[-*•–])\s+(.+)$/u.exec(line)?.[1];
    if (item === undefined) return [];
    const quoted = /^["“'`*_]+(.+?)["”'`*_]+\s*[:–—-]*\s*(.*)$/u.exec(item);
    const plain = /^(\S+(?:\s\S+)?)\s*(?:[:–—]|\s-\s)\s*(.*)$/u.exec(item);
    const [, word, why = ''] = quoted ?? plain ?? [];
    if (word !== undefined) return [{ word, why }];
    // A line of one or two words names them; a sentence names nothing.
    return item.trim().split(/\s+/u).length <= 2 ? [{ word: item.trim(), why: '' }] : [];
  });
}
