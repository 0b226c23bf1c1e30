import type { ToolPrompt } from '../tools/tool.ts';
import { type FewShot, tokensIn } from './fewShot.ts';

/** Where the parts of a few-shot prompt stand among its tokens. */
export interface AnchorPlaces {
  /** p_k: the first token of each example's label. */
  readonly labels: readonly number[];
  /** Tokens of each example before its label. */
  readonly texts: readonly (readonly number[])[];
  /** Index into the classes, one an example. */
  readonly classOf: readonly number[];
  /** The first token behind the examples: the question begins. */
  readonly questionStart: number;
  /** Tokens of the examples that stay in an anchor-only prompt: labels, what stands before them, line breaks; and the first token of all. */
  readonly anchors: readonly number[];
  /** The other tokens of the examples. */
  readonly rest: readonly number[];
}

export function anchorPlaces(
  { text, tokens }: Pick<ToolPrompt, 'text' | 'tokens'>,
  { examples, classes }: FewShot,
): AnchorPlaces {
  const labelTokens = examples.map(({ label }) => tokensIn(tokens, label));
  const labels = labelTokens.map(([first = 0]) => first);
  const begin = tokensIn(tokens, { start: examples[0]?.start ?? 0, end: examples.at(-1)?.end ?? 0 })[0] ?? 0;
  const questionStart = (labelTokens.at(-1)?.at(-1) ?? 0) + 1;
  const kept = new Set([0, ...labelTokens.flat(), ...examples.flatMap(({ prefix }) => tokensIn(tokens, prefix))]);
  const inside = Array.from({ length: questionStart - begin }, (_, index) => begin + index);
  const isBlank = (index: number) => text.slice(tokens[index]?.start, tokens[index]?.end).trim() === '';
  const anchors = inside.filter((index) => kept.has(index) || isBlank(index));
  return {
    labels,
    texts: examples.map((example, index) => tokensIn(tokens, example).filter((token) => token < (labels[index] ?? 0))),
    classOf: examples.map(({ labelText }) => classes.indexOf(labelText)),
    questionStart,
    anchors,
    rest: inside.filter((index) => !anchors.includes(index)),
  };
}
