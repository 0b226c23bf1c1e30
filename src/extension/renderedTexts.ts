/** Texts that the engine wrote in English, values and all, in the user's language: found again by the messages they were made of. */
import type { Explanation, Warning } from '../shared/explanation.ts';

/** Unknown texts come back as they are. */
export type TranslateRendered = (text: string) => string;

/** A message with fewer letters around its values could be anything. */
const fewestLetters = 8;

interface Template {
  /** What stands before, between and behind the values. */
  readonly literals: readonly string[];
  /** Number of the value behind each literal but the last. */
  readonly places: readonly number[];
  readonly translation: string;
  readonly length: number;
}

/** Whether texts made of this message can be found again: it has no values, or enough letters around them. */
export function isFindable(message: string): boolean {
  const { literals, places } = literalsOf(message);
  return places.length === 0 || (literals.join('').match(/\p{L}/gu) ?? []).length >= fewestLetters;
}

/** @param bundle English message → translation, `{0}` for values; undefined where the user reads English */
export function renderedTranslator(bundle: Readonly<Record<string, string>> | undefined): TranslateRendered {
  if (bundle === undefined) return (text) => text;
  const templates = templatesOf(bundle);
  const translate = (text: string): string => {
    const whole = Object.hasOwn(bundle, text) ? bundle[text] : undefined;
    if (whole !== undefined) return whole;
    for (const template of templates) {
      const values = valuesOf(text, template);
      if (values !== null) return filled(template, values.map(valueText));
    }
    return text;
  };
  /** A value may be a message of its own, with a space before it where it follows another; one word may be a token of the prompt. */
  const valueText = (value: string): string => {
    if (!/\S\s+\S|^[\s,.:(]/u.test(value)) return value;
    const known = translate(value);
    return known === value && value.startsWith(' ') ? ` ${translate(value.slice(1))}` : known;
  };
  return translate;
}

/** Those that say most first. */
function templatesOf(bundle: Readonly<Record<string, string>>): Template[] {
  return Object.entries(bundle)
    .filter(([message]) => isFindable(message))
    .map(([message, translation]) => ({ ...literalsOf(message), translation, length: message.length }))
    .filter(({ places }) => places.length > 0)
    .sort((a, b) => b.length - a.length);
}

function literalsOf(message: string): Pick<Template, 'literals' | 'places'> {
  const parts = message.split(/\{(\d)\}/);
  return { literals: parts.filter((_, at) => at % 2 === 0), places: parts.filter((_, at) => at % 2 === 1).map(Number) };
}

/** The values between the literals, each as short as can be; null where the text was not made of this. Linear in the text. */
function valuesOf(text: string, { literals }: Template): string[] | null {
  const [first = '', ...rest] = literals;
  const last = rest.pop() ?? '';
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return null;
  const end = text.length - last.length;
  const values: string[] = [];
  let from = first.length;
  for (const literal of rest) {
    const at = text.indexOf(literal, from);
    if (at < 0 || at + literal.length > end) return null;
    values.push(text.slice(from, at));
    from = at + literal.length;
  }
  return [...values, text.slice(from, end)];
}

function filled({ places, translation }: Template, values: readonly string[]): string {
  return translation.replaceAll(/\{(\d)\}/g, (whole, number: string) => values[places.indexOf(Number(number))] ?? whole);
}

/** What the engine says of an explanation, in the user's language: its warnings, and why it is trusted or not. */
export function translateExplanation(explanation: Explanation, translate: TranslateRendered): Explanation {
  const { faithfulness, warnings } = explanation;
  const told = faithfulness && {
    ...faithfulness,
    reason: translate(faithfulness.reason),
    ...(faithfulness.reasons === undefined ? {} : { reasons: faithfulness.reasons.map(translate) }),
  };
  return { ...explanation, faithfulness: told, warnings: translateWarnings(warnings, translate) };
}

/** What warnings say, in the user's language; their codes stay. */
export function translateWarnings(warnings: readonly Warning[], translate: TranslateRendered): Warning[] {
  return warnings.map(({ code, message }) => ({ code, message: translate(message) }));
}
