/** What a hover says about one unit, as plain text lines. The editor's Markdown is made elsewhere, and escapes all of it. */
import type { Explanation } from '../../shared/explanation.ts';
import { hasSign } from '../../shared/scoreSign.ts';
import type { Stage } from '../explain/session.ts';
import type { Translate } from '../translate.ts';
import { isVisible } from './overlayRanges.ts';

export interface HoverLine {
  readonly kind: 'title' | 'fact' | 'warning';
  readonly text: string;
}

/** Share of the sum of |score| over the units that are shown, and rank by |score| among them (1 = largest). */
export function standing(
  explanation: Pick<Explanation, 'units' | 'scores'>,
  unit: number,
  showHidden: boolean,
): { readonly share: number; readonly rank: number; readonly of: number } {
  const own = Math.abs(explanation.scores[unit] ?? 0);
  let total = 0;
  let larger = 0;
  let of = 0;
  explanation.units.forEach((candidate, index) => {
    if (!isVisible(candidate.kind, showHidden) && index !== unit) return;
    const magnitude = Math.abs(explanation.scores[index] ?? 0);
    of += 1;
    if (!Number.isFinite(magnitude)) return;
    total += magnitude;
    if (magnitude > own) larger += 1;
  });
  return { share: total > 0 && Number.isFinite(own) ? own / total : 0, rank: larger + 1, of };
}

/** A signed number with four significant digits; the minus sign is the typographic one. */
export function signed(value: number): string {
  if (!Number.isFinite(value)) return '—';
  const digits = Number(Math.abs(value).toPrecision(4)).toString();
  return value < 0 ? `−${digits}` : `+${digits}`;
}

/** The unit of the scores: the target's, or what they are told to be instead. */
function scoreUnitName({ target, scoreUnit }: Explanation, t: Translate): string {
  const own = unitName(target.unit, t);
  if (scoreUnit === undefined) return own;
  return scoreUnit.endsWith(' per unit of embedding') ? t('{0} per unit of embedding', own) : scoreUnit;
}

function unitName(unit: Explanation['target']['unit'], t: Translate): string {
  if (unit === 'nat') return t('nats');
  if (unit === 'logit') return t('logits');
  if (unit === 'cosine') return t('cosine');
  return t('probability');
}

/** The same without a sign, for scores that have none. */
function unsigned(value: number): string {
  return Number.isFinite(value) ? Number(value.toPrecision(4)).toString() : '—';
}

/** As the method picker calls it; where numbers were dequantised, that is told too. */
function methodName(model: Explanation['model'], label: string, t: Translate): string {
  return model.precision === 'dequantised' ? t('{0} (dequantised)', label) : label;
}

/** What the stage means for the reader; null when the picture is final. */
function stageNote(stage: Stage, t: Translate): string | null {
  switch (stage) {
    case 'attention':
      return t('Provisional: a first tint from attention. Attention is not attribution; exact scores follow.');
    case 'sections':
      return t('Provisional: exact for sections, words follow.');
    case 'units':
      return t('Provisional: words are being scored, the rest carry the score of their section.');
    case 'final':
      return null;
  }
}

export interface HoverContext {
  readonly stage: Stage;
  readonly stale: boolean;
  readonly showHidden: boolean;
  /** The method's name. */
  readonly method: string;
}

export function hoverLines(explanation: Explanation, unitIndex: number, context: HoverContext, t: Translate): HoverLine[] {
  const unit = explanation.units[unitIndex];
  if (unit === undefined) return [];
  const score = explanation.scores[unitIndex] ?? Number.NaN;
  const { share, rank, of } = standing(explanation, unitIndex, context.showHidden);
  const lines: HoverLine[] = [{ kind: 'title', text: shorten(unit.label) }];
  const fact = (text: string) => lines.push({ kind: 'fact', text });
  const warning = (text: string) => lines.push({ kind: 'warning', text });
  const signedScore = hasSign(explanation.method);
  fact(
    t(
      'Score {0} {1}, rank {2} of {3}, {4} % of the total',
      signedScore ? signed(score) : unsigned(score),
      scoreUnitName(explanation, t),
      rank,
      of,
      (share * 100).toFixed(1),
    ),
  );
  const target = shorten(explanation.target.label);
  if (!signedScore) fact(t('It matters to: {0}. The score is a size and has no sign: for or against is not told.', target));
  else fact(score < 0 ? t('It speaks against: {0}', target) : t('It speaks for: {0}', target));
  fact(t('Method: {0}', methodName(explanation.model, context.method, t)));
  const note = stageNote(context.stage, t);
  if (note !== null) warning(note);
  else if (explanation.method.id === 'attention')
    warning(t('Attention is not attribution: it shows where the model looks, not what changed the answer.'));
  else if (explanation.method.id === 'random') warning(t('Random scores, for control: they mean nothing.'));
  if (context.stale) warning(t('Edited since the explanation was made: the score is of the earlier text.'));
  if (unit.kind !== 'text') fact(unitKindNote(unit.kind, t));
  const { faithfulness } = explanation;
  if (faithfulness === null) {
    if (context.stage === 'final') fact(t('Faithfulness was not measured.'));
  } else if (faithfulness.verdict === 'trusted') fact(t('Faithfulness: trusted. {0}', faithfulness.reason));
  else if (faithfulness.verdict === 'weak') warning(t('Faithfulness: weak. {0}', faithfulness.reason));
  else warning(t('Do not trust this picture. {0}', faithfulness.reason));
  return lines;
}

function unitKindNote(kind: 'special' | 'template' | 'sink', t: Translate): string {
  if (kind === 'special') return t('A control token of the model.');
  if (kind === 'template') return t('Added by the chat template.');
  return t('A sink: it takes attention without carrying meaning.');
}

export function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const characters = [...line];
  return characters.length > 80 ? `${characters.slice(0, 79).join('')}…` : line;
}
