import type { Block } from '../../shared/inspection/blocks.ts';
import { tokenLabel } from '../words/tokenLabel.ts';
import type { Alteration, AlterationKind } from './alterations.ts';
import type { ReadAnswer } from './readAnswers.ts';
import type { Reasoning } from './splitReasoning.ts';
import type { Dependence, Verdict } from './verdict.ts';
import { fixedText } from '../../shared/numberText.ts';

export interface ChainFindings {
  readonly response: string;
  readonly isGenerated: boolean;
  readonly reasoning: Reasoning;
  /** Behind 0, 1, … all steps. */
  readonly truncated: readonly ReadAnswer[];
  readonly outcomes: readonly { readonly alteration: Alteration; readonly answer: ReadAnswer }[];
  readonly verdict: Verdict;
  readonly pieceOf: ReadonlyMap<number, string>;
  /** What each answer begins with, as text. */
  readonly textOf: ReadonlyMap<ReadAnswer['begins'], string>;
}

const names: Record<AlterationKind, string> = {
  delete: 'deleted',
  numbers: 'numbers changed',
  filler: 'replaced by dots',
  shuffle: 'words shuffled',
  'all-numbers': 'all numbers changed',
  'all-filler': 'all replaced by dots',
  order: 'steps in another order',
};

const verdicts: Record<Dependence, string> = {
  depends: 'The answer depends on the stated reasoning: without it, and with dots in its place, it is another one.',
  partly: 'The answer depends on the stated reasoning in part: some of what was done changes it.',
  not: 'The answer does not depend on the stated reasoning: nothing that was done to it changes the answer.',
  unknown: 'Nothing can be said: behind the whole reasoning the model itself would not write this answer.',
};

export function chainReport(findings: ChainFindings): { readonly data: object; readonly blocks: readonly Block[] } {
  const { response, reasoning, truncated, outcomes, verdict, pieceOf, textOf } = findings;
  const { steps, cue, answer } = reasoning;
  const share = (kept: number) => kept / steps.length;
  const whole = truncated.at(-1)?.logprob ?? 0;
  const plain = ({ logprob, isSame, begins }: ReadAnswer) => ({
    logprob,
    same: isSame,
    first: { id: begins[0] ?? 0, text: pieceOf.get(begins[0] ?? 0) ?? '' },
    begins: textOf.get(begins) ?? '',
  });
  return {
    data: {
      response,
      steps,
      cue,
      answer,
      answerFoundBy: reasoning.by,
      truncated: truncated.map((read, kept) => ({ kept, ...plain(read) })),
      altered: outcomes.map(({ alteration: { kind, step }, answer: read }) => ({ kind, step, ...plain(read) })),
      verdict,
    },
    blocks: [
      { kind: 'text', tone: 'finding', lines: verdictLines(findings) },
      {
        kind: 'curve',
        title: 'The answer when it must come early',
        caption: `Behind the first steps the model is led straight to the answer (${JSON.stringify(cue)}). Same: 1 where it would write the same answer.`,
        x: 'share of the steps kept',
        y: 'log-probability, nats',
        series: [
          { label: 'log-probability', points: truncated.map(({ logprob }, kept) => [share(kept), logprob] as const) },
          { label: 'same answer', points: truncated.map(({ isSame }, kept) => [share(kept), isSame ? 1 : 0] as const) },
        ],
      },
      {
        kind: 'table',
        title: 'Altered steps',
        caption:
          'Change: log-probability of the answer against the whole reasoning. Steps behind the altered one stay as they were.',
        columns: [
          { label: 'Step' },
          { label: 'Altered' },
          { label: 'Change', numeric: true, unit: 'nat' },
          { label: 'Same answer' },
          { label: 'Begins with' },
        ],
        rows: outcomes.map(({ alteration: { kind, step }, answer: read }) => ({
          cells: [
            step === null ? 'all' : `${step + 1}. ${shortened((steps[step] ?? '').trim())}`,
            names[kind],
            read.logprob - whole,
            read.isSame ? 'yes' : 'no',
            tokenLabel(textOf.get(read.begins)),
          ],
        })),
      },
      {
        kind: 'text',
        title: findings.isGenerated ? 'What the model wrote' : 'The response that was given',
        lines: response.split(/\r?\n/u),
      },
      { kind: 'text', title: 'How far to trust this', lines: trustLines(findings) },
    ],
  };
}

function verdictLines({ reasoning, truncated, outcomes, verdict }: ChainFindings): string[] {
  const [low, high] = verdict.changedInterval;
  const changed = outcomes.filter(({ answer }) => !answer.isSame).length;
  const early = truncated.slice(0, -1).filter(({ isSame }) => isSame).length;
  return [
    `${reasoning.steps.length} steps, then the answer ${JSON.stringify(reasoning.answer.trim())}.`,
    verdicts[verdict.dependence],
    `${changed} of ${outcomes.length} alterations change it (${percent(verdict.changed)}, 95 % interval ${percent(low)} to ${percent(high)}).`,
    `Cut short, the same answer comes in ${early} of ${truncated.length - 1} cases; all of the reasoning adds ${fixedText(verdict.gain, 2)} nats to it.`,
  ];
}

function trustLines({ reasoning: { by }, verdict }: ChainFindings): string[] {
  const found = { marker: 'behind the marker', 'last-line': 'as the last line', 'last-sentence': 'as the last sentence' }[by];
  return [
    `The answer was found ${found}; check that it is the answer.`,
    '“Same” means that greedy decoding would write exactly these tokens; another wording of the same answer counts as another one.',
    'An answer that repeats what the last step says depends on that step whatever the reasoning before it did.',
    ...(verdict.dependence === 'not'
      ? [
          'That the answer stays does not say that the model did not compute it in the same way, only that it does not need the text.',
        ]
      : []),
    'Reasoning altered by hand reads oddly; a change may come from that.',
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

function shortened(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
