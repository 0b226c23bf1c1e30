import type { Faithfulness } from '../../shared/explanation.ts';

export interface Evidence {
  readonly comprehensiveness: number;
  readonly sufficiency: number;
  readonly random: { readonly comprehensiveness: number; readonly sufficiency: number };
  readonly gain: number;
  readonly interval: readonly [number, number];
  /** How many random rankings there were, and how many of them do as well on this prompt. */
  readonly rankings: number;
  readonly asGood: number;
  /** Share of all scores, by magnitude, that lies on sinks, template text and control tokens. */
  readonly hiddenShare: number;
  /** Changes below this are rounding of the model file, in the target's unit. */
  readonly noise: number;
}

/** One look at the evidence; the first that objects decides. */
interface Objection {
  readonly verdict: 'weak' | 'untrusted';
  readonly applies: (evidence: Evidence) => boolean;
  readonly reason: (evidence: Evidence) => string;
}

const objections: readonly Objection[] = [
  {
    verdict: 'untrusted',
    applies: ({ gain }) => gain <= 0,
    reason: () =>
      'Not better than random: taking away what it ranks highest changes the answer no more than taking away random parts.',
  },
  {
    verdict: 'untrusted',
    applies: ({ comprehensiveness, noise }) => comprehensiveness < noise,
    reason: ({ noise }) =>
      `Taking away what it ranks highest changes the answer by less than ${noise}, which rounding in this model file alone can do.`,
  },
  {
    verdict: 'weak',
    applies: ({ interval }) => interval[0] <= 0,
    reason: () => 'Better than random rankings so far, but too few were tried to be sure.',
  },
  {
    verdict: 'weak',
    applies: ({ rankings, asGood }) => asGood > 0.1 * rankings,
    reason: ({ rankings, asGood }) =>
      `Better than random on average, but ${asGood} of ${rankings} random rankings do as well on this prompt.`,
  },
  {
    verdict: 'weak',
    applies: ({ sufficiency, random }) => sufficiency > random.sufficiency,
    reason: () => 'What it ranks highest matters, but does not carry the answer alone: random parts carry it as well.',
  },
  {
    verdict: 'weak',
    applies: ({ hiddenShare }) => hiddenShare > 0.5,
    reason: ({ hiddenShare }) =>
      `A sink dominates: ${Math.round(100 * hiddenShare)} % of the scores lie on the first token or on template tokens, which carry no meaning of their own.`,
  },
];

/** What to say about an explanation, and why in one sentence. */
export function judge(evidence: Evidence): Pick<Faithfulness, 'verdict' | 'reason'> {
  const objection = objections.find(({ applies }) => applies(evidence));
  if (objection !== undefined) return { verdict: objection.verdict, reason: objection.reason(evidence) };
  return {
    verdict: 'trusted',
    reason: 'Taking away what it ranks highest changes the answer clearly more than taking away random parts.',
  };
}
