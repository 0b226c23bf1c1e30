/**
 * `--target`: next, response, span:i-j, text:…, id:N, contrast:A|B, class:NAME (CLI contract), and entropy, entropy:AT, kl:PROMPT,
 * similarity:TEXT.
 */
import { targetEmpty, targetInvalid } from '../../shared/errorCatalog.ts';
import type { TargetSpec } from '../../shared/target.ts';

type Parse = (body: string, whole: string) => TargetSpec;

const withBody: Readonly<Record<string, Parse>> = {
  text: (body) => {
    if (body === '')
      throw targetEmpty('the target text', 'nothing stands after "text:"', 'give a text with at least one character');
    return { kind: 'text', text: body };
  },
  id: (body, whole) => {
    if (!/^\d{1,9}$/.test(body)) throw targetInvalid(whole, 'a token id is a whole number');
    return { kind: 'id', id: Number(body) };
  },
  span: (body, whole) => {
    const [, from, to] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(body) ?? [];
    if (from === undefined) throw targetInvalid(whole, 'a span is written span:FIRST-LAST, counted from 0');
    const last = Number(to ?? from);
    if (last < Number(from)) throw targetInvalid(whole, 'the span ends before it begins');
    return { kind: 'span', from: Number(from), to: last };
  },
  contrast: (body, whole) => {
    // `\|` is a bar that belongs to the text.
    const sides = body.match(/(?:\\\||[^|])+/g)?.map((side) => side.replaceAll('\\|', '|')) ?? [];
    const [a, b] = sides;
    if (sides.length !== 2 || a === undefined || b === undefined) {
      throw targetInvalid(whole, 'a contrast has two texts with one bar between them');
    }
    return { kind: 'contrast', a, b };
  },
  entropy: (body, whole) => {
    if (!/^\d{1,9}$/.test(body)) throw targetInvalid(whole, 'the place is a number of response tokens, as in entropy:3');
    return { kind: 'entropy', at: Number(body) };
  },
  kl: (body) => {
    if (body === '') throw targetEmpty('the other prompt', 'nothing stands after "kl:"', 'give the text of another prompt');
    return { kind: 'kl', prompt: body };
  },
  class: (name) => {
    if (name === '') throw targetEmpty('the class', 'nothing stands after "class:"', 'give the name of a class');
    return { kind: 'class', name };
  },
  similarity: (text) => {
    if (text === '') throw targetEmpty('the other text', 'nothing stands after "similarity:"', 'give a text to compare with');
    return { kind: 'similarity', text };
  },
};

/** @throws E_TARGET_INVALID, E_TARGET_EMPTY */
export function parseTarget(text: string): TargetSpec {
  if (text === 'next' || text === 'response' || text === 'entropy') return { kind: text };
  const colon = text.indexOf(':');
  const kind = colon < 0 ? text : text.slice(0, colon);
  const parse = colon < 0 || !Object.hasOwn(withBody, kind) ? undefined : withBody[kind];
  if (parse === undefined) throw targetInvalid(text, 'there is no such kind of target');
  return parse(text.slice(colon + 1), text);
}
