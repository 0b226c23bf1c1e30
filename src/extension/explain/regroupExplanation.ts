/** The same explanation at another granularity, without a new run. */
import type { Explanation } from '../../shared/explanation.ts';
import type { Granularity, Section, TextRange, Unit } from '../../shared/tokens.ts';
import { buildUnits, markSinks, regroup } from '../../shared/units.ts';

/**
 * Scores are carried over token by token (see `regroup`); what was a template, special or sink unit stays one. What was found for
 * single units (intervals, a rule, a tree, bounds, pairs) has no meaning for others and is left out.
 */
export function regroupExplanation(explanation: Explanation, granularity: Granularity): Explanation {
  if (explanation.granularity === granularity) return explanation;
  const { tokens, prompt } = explanation;
  const received = new Uint8Array(tokens.length);
  const templateRanges: TextRange[] = [];
  for (const unit of explanation.units) {
    if (unit.kind === 'sink') for (const token of unit.tokens) received[token] = 1;
    if (unit.kind === 'template') templateRanges.push(...rangesOf(unit, explanation));
  }
  const sections = prompt.sections.map(toSection);
  const built = buildUnits(prompt.text, tokens, granularity, { sections, templateRanges: merged(templateRanges) });
  const units = markSinks(built, prompt.text, tokens, { received, threshold: 1 });
  const carry = (scores: readonly number[]) => Array.from(regroup(explanation.units, scores, units));
  const { matrix, findings } = explanation;
  return {
    ...explanation,
    granularity,
    units: units.map((unit) => ({ ...unit, tokens: [...unit.tokens] })),
    scores: carry(explanation.scores),
    intervals: undefined,
    matrix: matrix === undefined ? undefined : { ...matrix, scores: matrix.scores.map(carry) },
    findings: findings === undefined ? undefined : findingsFor(findings, carry),
  };
}

type Findings = NonNullable<Explanation['findings']>;

function findingsFor(findings: Findings, carry: (scores: readonly number[]) => number[]): Findings {
  const { fit, contributions, throughThoughts, layers } = findings;
  return { fit, contributions, throughThoughts, layers: layers?.map(carry) };
}

function rangesOf(unit: Unit, explanation: Explanation): TextRange[] {
  return unit.tokens.flatMap((index) => {
    const token = explanation.tokens[index];
    return token === undefined || token.end <= token.start ? [] : [{ start: token.start, end: token.end }];
  });
}

/** Ascending and disjoint. */
function merged(ranges: readonly TextRange[]): TextRange[] {
  const result: { start: number; end: number }[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else result.push({ start: range.start, end: range.end });
  }
  return result;
}

/** Without the `undefined` that a parsed optional property may carry. */
function toSection({ role, ...section }: Explanation['prompt']['sections'][number]): Section {
  return role === undefined ? section : { ...section, role };
}
