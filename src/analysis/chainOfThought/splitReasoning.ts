/** A response taken apart: steps of reasoning, what leads to the answer, the answer. */
import { lineBorders, sentenceBorders } from '../../shared/unitBorders.ts';

export interface Reasoning {
  /** Each with the white space behind it; joined they are the reasoning. */
  readonly steps: readonly string[];
  /** What stands between the reasoning and the answer: "So the answer is". */
  readonly cue: string;
  /** The answer, with the space before it. */
  readonly answer: string;
  /** How the answer was found. */
  readonly by: 'marker' | 'last-line' | 'last-sentence';
}

export const stepKinds = ['sentence', 'line'] as const;
export type StepKind = (typeof stepKinds)[number];

/** Words before the marker that belong to it and not to a step ("So the", "Therefore, the"). */
const longestLead = 3;

/**
 * The answer stands behind the last `marker`, up to the end of its sentence or line. Where the marker is empty or does not occur, the
 * last line is the answer, or the last sentence of a single line. @returns null where nothing stands before the answer
 */
export function splitReasoning(response: string, marker: string, kind: StepKind): Reasoning | null {
  const text = response.trimEnd();
  const wanted = marker.trim().toLowerCase();
  const at = wanted === '' ? -1 : text.toLowerCase().lastIndexOf(wanted);
  const found = at >= 0 ? behindMarker(text, at, at + wanted.length, kind) : lastPart(text, kind);
  return found === null || found.answer.trim() === '' || found.steps.length === 0 ? null : found;
}

function behindMarker(text: string, at: number, end: number, kind: StepKind): Reasoning {
  const before = text.slice(0, at);
  const lead = shortLead(before);
  const reasoning = before.slice(0, before.length - lead.length);
  const behind = /^[\s:：*"“]*/u.exec(text.slice(end))?.[0] ?? '';
  // The space before the answer is part of its first token.
  const space = /[^\S\r\n]$/u.test(behind) ? 1 : 0;
  const answerStart = end + behind.length - space;
  // A sentence ends where its mark is followed by white space: "7.5" goes on.
  const answer = /^.*?(?=[.!?。！？]+["”*]*(?:\s|$)|[\r\n]|$)/u.exec(text.slice(answerStart))?.[0] ?? '';
  return { steps: stepsOf(reasoning, kind), cue: lead + text.slice(at, answerStart), answer, by: 'marker' };
}

/** The beginning of the marker's own sentence, if it is short and says nothing with a number. */
function shortLead(before: string): string {
  const lead = /(?:^|[.!?。！？\r\n])(\s*[^.!?。！？\r\n]*)$/u.exec(before)?.[1] ?? '';
  const words = lead.split(/\s+/u).filter((word) => word !== '');
  return words.length <= longestLead && !/\p{N}/u.test(lead) ? lead : '';
}

function lastPart(text: string, kind: StepKind): Reasoning | null {
  const lines = cut(text, lineBorders(text));
  const isOneLine = lines.filter((line) => line.trim() !== '').length < 2;
  const parts = isOneLine ? cut(text, sentenceBorders(text)) : lines;
  const last = parts.findLastIndex((part) => part.trim() !== '');
  if (last <= 0) return null;
  const reasoning = parts.slice(0, last).join('');
  const cue = /\s*$/u.exec(reasoning)?.[0] ?? '';
  const answer = (parts[last] ?? '').trimEnd();
  // A space goes with the answer's first token; a line break stays before it.
  const space = cue.endsWith(' ') ? 1 : 0;
  return {
    steps: stepsOf(reasoning.slice(0, reasoning.length - cue.length), kind),
    cue: cue.slice(0, cue.length - space),
    answer: cue.slice(cue.length - space) + answer,
    by: isOneLine ? 'last-sentence' : 'last-line',
  };
}

function stepsOf(reasoning: string, kind: StepKind): string[] {
  const borders = kind === 'line' ? lineBorders(reasoning) : sentenceBorders(reasoning);
  const steps: string[] = [];
  for (const part of cut(reasoning, borders)) {
    // What is white space alone belongs to the step before.
    if (part.trim() === '' && steps.length > 0) steps.push((steps.pop() ?? '') + part);
    else if (part.trim() !== '') steps.push(part);
  }
  return steps;
}

function cut(text: string, borders: readonly number[]): string[] {
  const starts = [...new Set([0, ...borders])].filter((border) => border < text.length).sort((a, b) => a - b);
  return starts.map((start, index) => text.slice(start, starts[index + 1] ?? text.length));
}
