/** A whole explanation as lines for a terminal: heading, heat-map, legend, ranking, response, trust, warnings, cost. */
import path from 'node:path';
import { paletteSteps, type PaletteStep } from '../../shared/colourScale.ts';
import type { Explanation } from '../../shared/explanation.ts';
import { hasSign } from '../../shared/scoreSign.ts';
import { heatMap, stepLabel } from './heatMap.ts';
import { largestTextScore } from './heatRuns.ts';
import { duration, percent, percentOfLogprob, signed } from './numbers.ts';
import { responseTable, tokenText } from './responseTable.ts';
import type { Theme } from './theme.ts';
import { unitTable } from './unitTable.ts';
import { visibleLines, visibleText } from './visibleText.ts';
import { wrapSpans } from './wrapSpans.ts';
import { fixedText } from '../../shared/numberText.ts';

const unitWords: Readonly<Record<Explanation['target']['unit'], string>> = {
  logit: 'logits',
  nat: 'nats',
  probability: 'probability',
  cosine: 'of the cosine',
};
const rows = 12;
const plain = (text: string) => text;

export function explanationView(explanation: Explanation, theme: Theme, columns: number): string[] {
  return [
    ...heading(explanation, theme, columns),
    '',
    ...heatMap(explanation, theme, columns),
    '',
    ...legend(explanation, theme, columns),
    '',
    theme.bold(`What mattered most (${explanation.granularity}s)`),
    ...unitTable(explanation, theme, columns, rows),
    ...response(explanation, theme, columns),
    '',
    ...completenessLines(explanation, theme, columns),
    ...trust(explanation, theme, columns),
    ...explanation.warnings.flatMap(({ code, message }) =>
      wrapped(`Warning ${visibleText(code)}: ${visibleText(message)}`, theme.warning, columns),
    ),
    theme.dim(
      `Stage: final · ${duration(explanation.cost.milliseconds)} · ${Number(explanation.cost.forwardPasses.toFixed(1))} forward passes`,
    ),
  ];
}

/** Of a model on a server the architecture is not known, and where it runs is. */
function modelName({ format, file, name, architecture, quantization }: Explanation['model']): string {
  return format === 'remote' ? `${name} · ${quantization} · ${file}` : `${path.basename(file)} · ${architecture} ${quantization}`;
}

function heading({ model, prompt, tokens, target, method }: Explanation, theme: Theme, columns: number): string[] {
  const parameters = Object.entries(method.parameters).map(
    ([name, value]) => `${visibleText(name)}=${visibleText(String(value))}`,
  );
  const settings = parameters.length > 0 ? ` (${parameters.join(', ')})` : '';
  return [
    ...wrapped(visibleText(`${modelName(model)} · ${prompt.mode} prompt, ${tokens.length} tokens`), theme.bold, columns),
    ...wrapped(`Explained: ${targetText(target)}`, plain, columns),
    ...wrapped(`Method: ${visibleText(method.id)}${settings}, seed ${method.seed}`, plain, columns),
  ];
}

const scoreWords: Readonly<Record<Explanation['target']['score'], string>> = {
  logit: 'logit',
  logprob: 'log-probability',
  prob: 'probability',
};

function targetText({ kind, label, score, unit, value, span }: Explanation['target']): string {
  const what: Readonly<Record<typeof kind, string>> = {
    next: 'next token',
    response: 'whole response',
    span: span === undefined ? 'response tokens' : `response tokens ${span[0]}–${span[1]}`,
    text: 'text',
    id: 'token',
    contrast: 'contrast',
    entropy: 'entropy',
    kl: 'divergence',
    class: 'class',
    similarity: 'similarity',
  };
  if (kind === 'similarity') return `${visibleText(label)}, cosine ${fixedText(value, 3)}`;
  if (kind === 'entropy' || kind === 'kl') return `${visibleText(label)}, ${fixedText(value, 3)} nats`;
  const probability = kind !== 'contrast' && score === 'logprob' ? ` (${percentOfLogprob(value)})` : '';
  return `${what[kind]} ${tokenText(label)}, ${scoreWords[score]} ${signed(value)}${unit === 'nat' ? ' nats' : ''}${probability}`;
}

function legend(explanation: Explanation, theme: Theme, columns: number): string[] {
  const largest = largestTextScore(explanation);
  const unit = explanation.scoreUnit === undefined ? unitWords[explanation.target.unit] : visibleText(explanation.scoreUnit);
  const isSigned = hasSign(explanation.method);
  const meaning = `${isSigned ? '±5' : '+5'} = ${largest === 0 ? 'nothing mattered' : `${signed(largest).slice(1)} ${unit}`}; below a tenth of that: unmarked`;
  return [isSigned ? signedScale(theme) : unsignedScale(theme), ...wrapped(meaning, theme.dim, columns)];
}

function signedScale(theme: Theme): string {
  if (theme.level === 0) return '[+1]…[+5] raised it, [−1]…[−5] lowered it';
  return `lowered it ${swatches(theme, paletteSteps)} raised it`;
}

/** A score without a sign says how much, not in which direction. */
function unsignedScale(theme: Theme): string {
  if (theme.level === 0) return '[+1]…[+5] mattered, up or down: these scores have no sign';
  return `nothing ${swatches(
    theme,
    paletteSteps.filter((step) => step >= 0),
  )} mattered, up or down: these scores have no sign`;
}

function swatches(theme: Theme, steps: readonly PaletteStep[]): string {
  return steps.map((step) => theme.step(step)(` ${stepLabel(step)} `)).join('');
}

/** Whether the scores add up to what they should. */
function completenessLines({ completeness }: Explanation, theme: Theme, columns: number): string[] {
  if (completeness === undefined) return [];
  const { sum, expected, share, steps } = completeness;
  const gap = share === null ? '' : `, gap ${percent(share)}`;
  const text = `Completeness: the scores add up to ${signed(sum)} of ${signed(expected)}${gap}, ${steps} points`;
  return wrapped(text, share !== null && share > 0.05 ? theme.warning : plain, columns);
}

function response({ response: { text, source, tokens }, target }: Explanation, theme: Theme, columns: number): string[] {
  if (tokens.length === 0) return [];
  const title = source === 'given' ? 'Response (given)' : 'Response';
  return [
    '',
    theme.bold(title),
    ...wrapped(visibleLines(text.trim()), plain, columns),
    ...responseTable(tokens, theme, columns, target.span),
  ];
}

function trust({ faithfulness, target }: Explanation, theme: Theme, columns: number): string[] {
  if (faithfulness === null) return [theme.dim('Faithfulness: not measured for this run')];
  const { verdict, reason, gain, interval } = faithfulness;
  const paint = verdict === 'trusted' ? theme.good : theme.warning;
  const name = verdict === 'untrusted' ? 'do not trust this picture' : verdict;
  const numbers = `${signed(gain)} ${unitWords[target.unit]} better than random, 95 % interval ${signed(interval[0])} to ${signed(interval[1])}`;
  return wrapped(`Faithfulness: ${name} (${numbers}). ${visibleText(reason)}`, paint, columns);
}

function wrapped(text: string, paint: (text: string) => string, columns: number): string[] {
  return wrapSpans([{ text, paint }], columns);
}
