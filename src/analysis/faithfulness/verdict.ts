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
  /** Largest minus smallest score of the ranked units, as a share of the largest magnitude. */
  readonly spread: number;
  /** How far the scores are from the sum they should have, a share of it; 0 where they owe no sum. */
  readonly openShare: number;
  /** Mean probability of the target's tokens where the scores are slopes of it, else null. */
  readonly certainty: number | null;
}

/** One look at the evidence; the first that objects decides. All that do are told, so none may say what another denies. */
interface Objection {
  readonly verdict: 'weak' | 'untrusted';
  readonly applies: (evidence: Evidence) => boolean;
  readonly reason: (evidence: Evidence) => string;
}

/** Scores this close together, relative to the largest, differ by the rounding of 32-bit numbers. */
const flatSpread = 1e-6;
/** From this probability on, less than a thousandth of a logit's slope is left in that of the log-probability. */
const saturatedProbability = 0.999;

const objections: readonly Objection[] = [
  {
    verdict: 'untrusted',
    applies: ({ spread }) => spread <= flatSpread,
    reason: () => 'Saturated: the scores differ by no more than rounding does, so their order means nothing.',
  },
  {
    verdict: 'untrusted',
    applies: ({ gain }) => gain <= 0,
    reason: () =>
      'Not better than random: taking away what it ranks highest changes the answer no more than taking away random parts.',
  },
  {
    verdict: 'untrusted',
    applies: ({ comprehensiveness, noise }) => Math.abs(comprehensiveness) < noise,
    reason: ({ noise }) =>
      `Saturated: taking away what it ranks highest changes the answer by less than ${noise}, which rounding in this model file alone can do.`,
  },
  {
    verdict: 'untrusted',
    applies: ({ comprehensiveness, noise }) => comprehensiveness < 0 && -comprehensiveness >= noise,
    reason: () =>
      'Taking away what it ranks highest raises what is explained instead of lowering it: these words do not carry it, they hold it down.',
  },
  {
    verdict: 'untrusted',
    applies: ({ openShare }) => openShare > 0.5,
    reason: ({ openShare }) => `Completeness gap: ${gapText(openShare)}, so single scores are not parts of the answer.`,
  },
  {
    verdict: 'weak',
    applies: ({ gain, interval }) => gain > 0 && interval[0] <= 0,
    reason: () => 'Better than random rankings so far, but too few were tried to be sure.',
  },
  {
    verdict: 'weak',
    applies: ({ gain, rankings, asGood }) => gain > 0 && asGood > 0.1 * rankings,
    reason: ({ rankings, asGood }) =>
      `Better than random on average, but ${asGood} of ${rankings} random rankings do as well on this prompt.`,
  },
  {
    verdict: 'weak',
    applies: ({ gain, sufficiency, random }) => gain > 0 && sufficiency > random.sufficiency,
    reason: () => 'What it ranks highest matters, but does not carry the answer alone: random parts carry it as well.',
  },
  {
    verdict: 'weak',
    applies: ({ hiddenShare }) => hiddenShare > 0.5,
    reason: ({ hiddenShare }) =>
      `A sink dominates: ${Math.round(100 * hiddenShare)} % of the scores lie on the first token or on template tokens, which carry no meaning of their own.`,
  },
  {
    verdict: 'weak',
    applies: ({ openShare }) => openShare > 0.05,
    reason: ({ openShare }) => `Completeness gap: ${gapText(openShare)}. The order may hold; do not read single scores.`,
  },
  {
    verdict: 'weak',
    applies: ({ certainty }) => certainty !== null && certainty >= saturatedProbability,
    reason: () =>
      'Saturated: the answer is more than 99.9 % certain, so slopes at this point are a small remainder of what made it so. Try a contrast, a logit, or a method that takes parts away.',
  },
];

function gapText(share: number): string {
  return Number.isFinite(share)
    ? `the scores miss their sum by ${Math.round(100 * share)} % of it`
    : 'the scores should add up to nothing and do not';
}

/** What to say about an explanation, why in one sentence, and everything that speaks against it. */
export function judge(evidence: Evidence): { verdict: Faithfulness['verdict']; reason: string; reasons: string[] } {
  const objecting = objections.filter(({ applies }) => applies(evidence));
  const reasons = objecting.map(({ reason }) => reason(evidence));
  const [first] = objecting;
  if (first !== undefined) return { verdict: first.verdict, reason: reasons[0] as string, reasons };
  return {
    verdict: 'trusted',
    reason: 'Taking away what it ranks highest changes the answer clearly more than taking away random parts.',
    reasons: [],
  };
}
