import type { ResolvedTarget } from '../../attribution/target.ts';
import type { RowRead, RowResult } from '../../model/model.ts';
import type { GradientTarget } from '../../model/gradient.ts';

/** What would count as another answer, and how far a prompt is from it. */
export interface FlipGoal {
  /** For the reader: "any other next token", … */
  readonly label: string;
  /** Teacher-forced tokens between the prompt and the place that is read. */
  readonly continuation: Int32Array;
  /** What to read when the prompt has `promptLength` tokens: one row. */
  read(promptLength: number): RowRead;
  /** How far the answer is from flipping, in logits; below 0 it has flipped. */
  margin(row: RowResult): number;
  /** The token that is answered. */
  answer(row: RowResult): number;
  /** The margin as something to differentiate, at the rival of `row`. */
  gradient(promptLength: number, row: RowResult): GradientTarget;
}

const none = new Int32Array(0);

/** Any token but `answer` becomes the most likely one: margin = logit(answer) − the largest other logit. */
export function anyOtherAnswer(answer: number): FlipGoal {
  const rival = (row: RowResult) => row.top.find(({ id }) => id !== answer);
  return {
    label: 'any other next token',
    continuation: none,
    read: (promptLength) => ({ position: promptLength - 1, ids: [answer], top: 2 }),
    margin: (row) => (row.logits[0] ?? Number.NaN) - (rival(row)?.logit ?? Number.NaN),
    answer: (row) => row.top[0]?.id ?? answer,
    gradient: (promptLength, row) => difference(promptLength - 1, answer, rival(row)?.id ?? answer),
  };
}

/** The token `wanted` becomes the most likely one: margin = the largest other logit − logit(wanted). */
export function givenAnswer(wanted: number, label: string): FlipGoal {
  const rival = (row: RowResult) => row.top.find(({ id }) => id !== wanted);
  return {
    label,
    continuation: none,
    read: (promptLength) => ({ position: promptLength - 1, ids: [wanted], top: 2 }),
    margin: (row) => (rival(row)?.logit ?? Number.NaN) - (row.logits[0] ?? Number.NaN),
    answer: (row) => row.top[0]?.id ?? wanted,
    gradient: (promptLength, row) => difference(promptLength - 1, rival(row)?.id ?? wanted, wanted),
  };
}

/** The contrast changes its sign: margin = its size on the unmodified prompt's side. @param value the contrast on the unmodified prompt */
export function otherSign(target: ResolvedTarget, value: number): FlipGoal {
  const [a = 0, b = 0] = target.description.ids;
  const [ahead, behind] = value >= 0 ? [a, b] : [b, a];
  const position = (promptLength: number) => promptLength - 1 + target.continuation.length;
  const margin = ({ logits }: RowResult) => (logits[0] ?? Number.NaN) - (logits[1] ?? Number.NaN);
  return {
    label: `the other sign of "${target.description.label}"`,
    continuation: target.continuation,
    read: (promptLength) => ({ position: position(promptLength), ids: [ahead, behind] }),
    margin,
    answer: (row) => (margin(row) >= 0 ? ahead : behind),
    gradient: (promptLength) => difference(position(promptLength), ahead, behind),
  };
}

function difference(position: number, plus: number, minus: number): GradientTarget {
  return {
    kind: 'logit',
    terms: [
      { position, id: plus, weight: 1 },
      { position, id: minus, weight: -1 },
    ],
  };
}
