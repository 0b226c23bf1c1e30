import type { Unit } from '../../shared/tokens.ts';
import type { Block, EditBlock, TextBlock } from '../../shared/inspection/blocks.ts';
import type { ToolParameters } from '../../shared/protocol/tools.ts';
import { tokenLabel } from '../words/tokenLabel.ts';
import type { CandidateEdits } from './candidateEdits.ts';
import type { FlipGoal } from './flipGoal.ts';
import type { Flip, FlipSearchResult, FluentTrial, Trial } from './flipSearch.ts';
import { keptPerWord } from './vocabularySubstitutes.ts';
import type { WordEdit } from './wordEdits.ts';
import { fixedText } from '../../shared/numberText.ts';

export interface CounterfactualFindings {
  readonly result: FlipSearchResult;
  readonly goal: FlipGoal;
  /** On the unmodified prompt, logits. */
  readonly margin: number;
  readonly answer: number;
  readonly words: readonly Unit[];
  readonly text: string;
  readonly order: CandidateEdits['order'];
  readonly scored: CandidateEdits['scored'];
  readonly pieceOf: ReadonlyMap<number, string>;
  readonly parameters: ToolParameters;
}

/** Rows of the table of what was tried. */
const listed = 20;

export function counterfactualReport(findings: CounterfactualFindings): {
  readonly data: object;
  readonly blocks: readonly Block[];
} {
  const { result, goal, margin, answer, order, pieceOf, parameters } = findings;
  const answerText = (token: number) => pieceOf.get(token) ?? '';
  const plain = (trial: Trial) => ({
    edits: trial.edits.map(({ start, end, text }) => ({ start, end, was: findings.text.slice(start, end), text })),
    margin: trial.margin,
    answer: { id: trial.answer, text: answerText(trial.answer) },
  });
  const nearest = [...result.trials].sort((a, b) => a.margin - b.margin).slice(0, listed);
  const data = {
    goal: goal.label,
    answer: { id: answer, text: answerText(answer) },
    margin,
    found: result.flips.length > 0,
    flips: result.flips.map((flip) => ({ ...plain(flip), strain: flip.strain, minimal: flip.isMinimal })),
    strained: result.strained.slice(0, listed).map((trial) => ({ ...plain(trial), strain: trial.strain })),
    tried: result.trials.length,
    levels: result.levels,
    exhaustive: result.isExhaustive,
    order,
    scored: findings.scored,
    nearest: nearest.map(plain),
  };
  return {
    data,
    blocks: [
      { kind: 'text', tone: 'finding', lines: findingLines(findings) },
      ...result.flips.map((flip, index) => flipBlock(findings, flip, index)),
      {
        kind: 'table',
        title: 'Tried, nearest first',
        caption: `Margin: how far the answer is from flipping, in logits; below 0 it has flipped. Unmodified: ${fixedText(margin, 2)}.`,
        columns: [{ label: 'Edit' }, { label: 'Margin', numeric: true, unit: 'logit' }, { label: 'Answer' }],
        rows: nearest.map((trial) => ({
          cells: [describe(findings, trial.edits), trial.margin, tokenLabel(pieceOf.get(trial.answer))],
          tokens: trial.edits.flatMap(({ word }) => findings.words[word]?.tokens ?? []),
        })),
      },
      trustBlock(findings, parameters),
    ],
  };
}

function findingLines({ result, goal, margin, answer, pieceOf, text, words, parameters }: CounterfactualFindings): string[] {
  const [best] = result.flips;
  const answered = `The model answers ${JSON.stringify(pieceOf.get(answer) ?? '')}, ${fixedText(margin, 2)} logits ahead. Goal: ${goal.label}.`;
  if (best !== undefined) {
    const count = best.edits.length;
    const [to, how] = [JSON.stringify(pieceOf.get(best.answer) ?? ''), describe({ text, words }, best.edits)];
    return [answered, count === 1 ? `One edit flips it to ${to}: ${how}.` : `${count} edits flip it to ${to}: ${how}.`];
  }
  const [odd] = result.strained;
  const limit = `of at most ${String(parameters['max-edits'])} edits within ${String(parameters.budget)} prompts`;
  return [
    answered,
    `No flip ${limit} that reads well enough was found.`,
    ...(odd === undefined
      ? []
      : [`One that reads worse (${fixedText(odd.strain, 2)} nats a token): ${describe({ text, words }, odd.edits)}.`]),
  ];
}

function flipBlock({ answer, pieceOf, text, words }: CounterfactualFindings, flip: Flip, index: number): EditBlock {
  const minimal = flip.isMinimal
    ? 'No part of it flips the answer (all parts were tried).'
    : 'A part of it flips the answer too, but reads worse.';
  return {
    kind: 'edit',
    title: `Flip number ${index + 1}: ${describe({ text, words }, flip.edits)}`,
    caption: `Margin ${fixedText(flip.margin, 2)} logits; ${strainText(flip)}.${flip.edits.length > 1 ? ` ${minimal}` : ''}`,
    edits: flip.edits.map(({ start, end, text: replacement }) => ({ start, end, text: replacement })),
    before: pieceOf.get(answer) ?? '',
    after: pieceOf.get(flip.answer) ?? '',
  };
}

function strainText({ strain }: FluentTrial): string {
  const size = `${Math.abs(strain).toFixed(2)} nats a token`;
  return strain >= 0 ? `the prompt is ${size} harder to predict` : `the prompt is ${size} easier to predict`;
}

function describe({ text, words }: Pick<CounterfactualFindings, 'text' | 'words'>, edits: readonly WordEdit[]): string {
  return edits
    .map(({ word, start, end, text: replacement }) =>
      replacement === ''
        ? `leave out ${JSON.stringify(words[word]?.label ?? text.slice(start, end))}`
        : `${JSON.stringify(text.slice(start, end))} → ${JSON.stringify(replacement)}`,
    )
    .join(', ');
}

function trustBlock({ result, order, scored }: CounterfactualFindings, { mode, candidates }: ToolParameters): TextBlock {
  const lines = result.levels.map(
    ({ size, tried, possible }) => `${size} edit${size > 1 ? 's' : ''}: ${tried} of ${possible} candidates tried.`,
  );
  const likely = 'Substitutes are the model’s own likely words at that place (seen from the left only)';
  const favoured = `the ${keptPerWord} entries of the vocabulary that the gradient favours most at each word (${scored} scored)`;
  const source =
    candidates === 'likely'
      ? `${likely}, not the whole vocabulary.`
      : candidates === 'both'
        ? `${likely}, and ${favoured}.`
        : `Substitutes are ${favoured}.`;
  const ordered = 'In order of a first-order estimate (HotFlip); every one was verified by a forward pass.';
  return {
    kind: 'text',
    ...(result.isExhaustive ? {} : { tone: 'warning' as const }),
    title: 'How far to trust this',
    lines: [
      ...lines,
      result.isExhaustive
        ? 'Every smaller candidate was tried: among the candidates no smaller flip exists.'
        : 'Not every candidate was tried: a smaller flip may exist. A larger budget tries more.',
      ...(mode === 'deletion' ? [] : [source]),
      order === 'gradient' ? ordered : 'This model gives no gradients: candidates were tried in the order of the prompt.',
    ],
  };
}
