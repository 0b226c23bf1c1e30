import type { Block, TableBlock, TextBlock } from '../../shared/inspection/blocks.ts';
import type { Unit } from '../../shared/tokens.ts';
import type { Agreement } from './agreement.ts';
import { calibrationBlocks, type CalibrationFindings } from './calibrationBlocks.ts';
import type { StatedExplanation } from './parseExplanation.ts';
import { interval, percent } from './shares.ts';
import { wordForm, type WordForm } from './statedWords.ts';
import { fixedText } from '../../shared/numberText.ts';

export interface SelfFindings extends CalibrationFindings {
  /** The filled template. */
  readonly question: string;
  /** What the model wrote. */
  readonly reply: string;
  /** What it was asked about. */
  readonly response: string;
  readonly stated: StatedExplanation;
  readonly forms: readonly WordForm[];
  /** Stated words that the prompt does not hold. */
  readonly invented: readonly string[];
  readonly units: readonly Unit[];
  readonly agreement: Agreement | null;
  readonly method: string;
}

/** Words of largest effect listed beside the stated ones. */
const listed = 8;

export function selfReport(findings: SelfFindings): { readonly data: object; readonly blocks: readonly Block[] } {
  const { question, reply, response, stated, forms, invented, agreement, method, judged, calibrations } = findings;
  return {
    data: {
      question,
      reply,
      response,
      parsed: stated,
      invented,
      method,
      words: forms.map(({ form, measured, statedRank }) => ({ word: form, measured, statedRank })),
      agreement,
      calibration: judged.length === 0 ? null : { cases: judged, ...calibrations },
    },
    blocks: [
      { kind: 'text', tone: stated.form === 'none' ? 'warning' : 'finding', lines: findingLines(findings) },
      ...(forms.length === 0 ? [] : [wordTable(findings)]),
      ...calibrationBlocks(findings),
      { kind: 'text', title: 'What it was asked', lines: question.split(/\r?\n/u) },
      { kind: 'text', title: 'What it replied', lines: reply.split(/\r?\n/u) },
      trustBlock(findings),
    ],
  };
}

const forms = { json: 'as JSON', fragments: 'from broken JSON', list: 'as a list', none: '' } as const;

function findingLines({ stated, agreement, invented, method }: SelfFindings): string[] {
  if (stated.form === 'none') return ['No explanation could be read from its reply: it names no words in JSON or in a list.'];
  const sure =
    stated.confidence === null ? 'It states no confidence.' : `It is ${percent(stated.confidence)} sure of its answer.`;
  const lines = [
    `It names ${stated.words.length} ${stated.words.length === 1 ? 'word' : 'words'} (read ${forms[stated.form]}). ${sure}`,
  ];
  if (invented.length > 0) lines.push(`${invented.length} of the words it names are not in the prompt: ${invented.join(', ')}.`);
  if (agreement === null) return [...lines, 'What it names cannot be compared: none of the prompt’s words, or all of them.'];
  const { hits, named, overlapInterval, randomOverlap, chance, correlation, correlationInterval } = agreement;
  return [
    ...lines,
    `${hits} of its ${named} words are among the ${named} of largest effect (${method}): ${percent(agreement.overlap)}, 95 % interval ${interval(overlapInterval)}; at random ${percent(randomOverlap)}, and this many or more with probability ${chance.toFixed(2)}.`,
    `Rank correlation over all ${agreement.words} words: ${fixedText(correlation, 2)}, 95 % interval ${fixedText(correlationInterval[0], 2)} to ${fixedText(correlationInterval[1], 2)}.`,
    correlationInterval[0] > 0 || chance < 0.05
      ? 'It knows more of this than chance.'
      : 'That is no better than naming words at random.',
  ];
}

function wordTable({ forms: words, stated, units }: SelfFindings): TableBlock {
  const byEffect = [...words].sort((a, b) => b.measured - a.measured);
  const rankOf = new Map(byEffect.map((word, index) => [word.form, index + 1]));
  const shown = byEffect.filter((word, index) => index < listed || word.statedRank !== null);
  const reasonOf = (form: string) => stated.words.find(({ word }) => word.split(/\s+/u).map(wordForm).includes(form))?.why ?? '';
  return {
    kind: 'table',
    title: 'What it says and what was measured',
    caption: 'Effect: the largest change of the target by any place of the word, without its sign.',
    columns: [
      { label: 'Word' },
      { label: 'Effect', numeric: true },
      { label: 'Rank measured', numeric: true },
      { label: 'Rank stated' },
      { label: 'Its reason' },
    ],
    rows: shown.map(({ form, measured, statedRank, places }) => ({
      cells: [form, measured, rankOf.get(form) ?? 0, statedRank ?? '', reasonOf(form)],
      tokens: places.flatMap((place) => units[place]?.tokens ?? []),
    })),
  };
}

function trustBlock({ judged, calibrations, stated, agreement }: SelfFindings): TextBlock {
  const unread = judged.filter((each) => each.stated === null).length;
  const values = new Set(judged.flatMap((each) => (each.stated === null ? [] : [each.stated])));
  const lines = [
    'What a model says of itself is a text like any other: it was trained to sound right, not to look inside.',
    'The measured effects are those of one method on one target; its own page says where it fails.',
  ];
  if (stated.form !== 'json')
    lines.push(
      'Its reply is not the JSON that was asked for: this model may be too small to explain itself. Other wording may help (template).',
    );
  if (agreement !== null && agreement.named < 5)
    lines.push('With so few words named, only very large or very small overlaps mean anything.');
  if (judged.length === 0) lines.push('Calibration needs --cases: a file of JSON lines { "prompt", "answer" }.');
  if (unread > 0)
    lines.push(
      `In ${unread} of ${judged.length} cases its reply states no number; they are left out of the stated confidence only.`,
    );
  if (values.size === 1) lines.push('It states the same confidence in every case, so it cannot tell right from wrong.');
  if (judged.length > 0 && judged.length < 50)
    lines.push('With fewer than 50 cases the calibration error is mostly noise; look at the intervals.');
  if (judged.length > 0 && calibrations.probability !== null)
    lines.push('An answer counts as right when the expected words stand in its first line.');
  return { kind: 'text', title: 'How far to trust this', tone: 'warning', lines };
}
