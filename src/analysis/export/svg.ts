import type { Explanation } from '../../shared/explanation.ts';
import { hasSign } from '../../shared/scoreSign.ts';
import { layOut, type PlacedRun } from './gridLayout.ts';
import { escapeMarkup } from './markupText.ts';
import { inkOn, loweringColours, raisingColours, unsignedLegend } from './palette.ts';
import { summaryLines } from './summaryLines.ts';
import { textRuns } from './textRuns.ts';
import { signedNumber, type UnitStanding, unitStandings } from './unitStandings.ts';

const columns = 96;
const cell = { width: 8.4, height: 26 };
const margin = 16;
const summaryHeight = 16;
const summaryColumns = 110;

/**
 * The prompt as a picture that needs nothing else: no script, no font file, no link. Colour is never the only sign: a bar under
 * each unit is solid where the unit raises the target and broken where it lowers it, and thicker the more it does.
 */
export function explanationToSvg(explanation: Explanation): string {
  const standings = unitStandings(explanation);
  const { placed, lines } = layOut(textRuns(explanation), columns);
  const summary = layOut(
    [...summaryLines(explanation), ...explanation.warnings.map((warning) => `Warning: ${warning.message}`)].map((text) => ({
      text: `${text}\n`,
      unit: null,
    })),
    summaryColumns,
  );
  const textTop = margin + summary.lines * summaryHeight + 40;
  const width = Math.ceil(2 * margin + columns * cell.width);
  const height = Math.ceil(textTop + lines * cell.height + margin);
  const label = `Explanation of the answer ${JSON.stringify(explanation.target.label)} by ${explanation.method.id}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeMarkup(label)}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11" fill="#333333" xml:space="preserve">`,
    ...summary.placed.map(
      (run) => `<text x="${margin}" y="${margin + 10 + run.line * summaryHeight}">${escapeMarkup(run.text)}</text>`,
    ),
    '</g>',
    ...legend(textTop - 34, hasSign(explanation.method)),
    `<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">`,
    ...placed.filter((run) => run.text.trim() !== '').map((run) => drawnRun(run, explanation, standings, textTop)),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

function drawnRun(run: PlacedRun, explanation: Explanation, standings: readonly UnitStanding[], textTop: number): string {
  const x = round(margin + run.column * cell.width);
  const y = textTop + run.line * cell.height;
  const width = round(run.width * cell.width);
  const standing = run.unit === null ? undefined : standings[run.unit];
  const magnitude = Math.abs(standing?.step ?? 0);
  const text = `<text x="${x}" y="${y + 15}" textLength="${width}" lengthAdjust="spacingAndGlyphs" fill="${inkOn(magnitude)}">${escapeMarkup(run.text)}</text>`;
  if (standing === undefined) return text;
  const kind = explanation.units[standing.index]?.kind ?? 'text';
  const place = standing.rank === null ? kind : `rank ${standing.rank}`;
  const title = `<title>${escapeMarkup(`${explanation.units[standing.index]?.label ?? ''}: ${signedNumber(standing.score)} ${explanation.scoreUnit ?? explanation.target.unit}, ${place}`)}</title>`;
  return `<g>${title}${ground(standing.step, x, y, width)}${text}</g>`;
}

function ground(step: number, x: number, y: number, width: number): string {
  const magnitude = Math.abs(step);
  if (magnitude === 0) return '';
  const colour = (step > 0 ? raisingColours : loweringColours)[magnitude] ?? '';
  const broken = step < 0 ? ' stroke-dasharray="3 2"' : '';
  const thickness = 0.5 + magnitude / 2;
  return (
    `<rect x="${x}" y="${y}" width="${width}" height="20" fill="${colour}"/>` +
    `<line x1="${x}" y1="${y + 22}" x2="${round(x + width)}" y2="${y + 22}" stroke="#000000" stroke-width="${thickness}"${broken}/>`
  );
}

function legend(y: number, isSigned: boolean): string[] {
  const words: readonly (readonly [number, string])[] = isSigned
    ? [
        [5, 'raises the target (solid bar)'],
        [-5, 'lowers it (broken bar)'],
      ]
    : [[5, unsignedLegend]];
  return words.map(([step, text], index) => {
    const x = margin + index * 280;
    return `<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11" fill="#333333">${ground(step, x, y, 24)}<text x="${x + 32}" y="${y + 14}">${text}</text></g>`;
  });
}

function round(value: number): number {
  return Math.round(100 * value) / 100;
}
