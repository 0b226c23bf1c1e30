import { createHash } from 'node:crypto';
import type { Explanation } from '../../shared/explanation.ts';
import { hasSign } from '../../shared/scoreSign.ts';
import { escapeMarkup } from './markupText.ts';
import { inkOn, loweringColours, raisingColours, unsignedLegend } from './palette.ts';
import { pageScript } from './pageScript.ts';
import { summaryLines } from './summaryLines.ts';
import { textRuns } from './textRuns.ts';
import { scoreUnitName, signedNumber, type UnitStanding, unitStandings } from './unitStandings.ts';
import { fixedText } from '../../shared/numberText.ts';

/**
 * One page that stands alone and works offline: no link, no font; the policy allows its one style sheet and its one script, by hash, and
 * nothing else. Colour is never the only sign: what lowers the target is underlined with a broken line.
 */
export function explanationToHtml(explanation: Explanation): string {
  const style = styleSheet();
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(pageScript)}'; base-uri 'none'; form-action 'none'`;
  const standings = unitStandings(explanation);
  const title = `Explanation of ${JSON.stringify(explanation.target.label)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeMarkup(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeMarkup(title)}</h1>
<ul>${summaryLines(explanation)
    .map((line) => `<li>${escapeMarkup(line)}</li>`)
    .join('')}</ul>
${warningList(explanation)}<h2>Prompt</h2>
<p class="legend">${legend(explanation)}</p>
${controls(explanation)}<pre id="prompt" aria-label="Prompt, scored">${textRuns(explanation)
    .map((run) => markedRun(run.text, run.unit === null ? undefined : standings[run.unit], explanation))
    .join('')}</pre>
<p id="readout" role="status"></p>
<h2>Response</h2>
<pre>${escapeMarkup(explanation.response.text)}</pre>
${responseTable(explanation)}${unitTable(explanation, standings)}</main>
<script>${pageScript}</script>
</body>
</html>
`;
}

function hashOf(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}

/** Shown by the script, which they need. Scores without a sign have nothing to filter by. */
function controls({ method }: Explanation): string {
  const filter = hasSign(method)
    ? '<option value="all">all</option><option value="raise">what raises the target</option><option value="lower">what lowers it</option>'
    : '<option value="all">all</option>';
  return (
    '<p id="controls" hidden>' +
    '<label>Strength <input id="strength" type="range" min="-2" max="2" step="0.1" value="0"></label> ' +
    `<label>Show <select id="show">${filter}</select></label></p>\n`
  );
}

function legend({ method }: Explanation): string {
  if (!hasSign(method)) return `<span class="raise5">${unsignedLegend}</span>`;
  return '<span class="raise5">raises the target</span> <span class="lower5">lowers it (broken underline)</span>';
}

function markedRun(text: string, standing: UnitStanding | undefined, explanation: Explanation): string {
  if (standing === undefined) return escapeMarkup(text);
  const { score, rank, share, step } = standing;
  const name = step === 0 ? '' : ` class="${step > 0 ? 'raise' : 'lower'}${Math.abs(step)}"`;
  const place =
    rank === null ? (explanation.units[standing.index]?.kind ?? '') : `rank ${rank}, ${(100 * share).toFixed(1)} % of all`;
  const title = escapeMarkup(`${signedNumber(score)} ${scoreUnitName(explanation)}, ${place}`);
  const drawn = rank === null ? '' : ` data-score="${score}"`;
  return `<span${name} title="${title}"${drawn}>${escapeMarkup(text)}</span>`;
}

function warningList({ warnings }: Explanation): string {
  if (warnings.length === 0) return '';
  const items = warnings.map((warning) => `<li>${escapeMarkup(`${warning.code}: ${warning.message}`)}</li>`);
  return `<h2>Warnings</h2>\n<ul>${items.join('')}</ul>\n`;
}

function responseTable({ response }: Explanation): string {
  if (response.tokens.length === 0) return '';
  const rows = response.tokens.map((token) => {
    const others = token.alternatives.map((other) => `${JSON.stringify(other.text)} ${percent(other.logprob)}`).join(', ');
    return [JSON.stringify(token.text), fixedText(token.logprob, 3), percent(token.logprob), others];
  });
  return table('Response tokens', ['Token', 'Log-probability (nats)', 'Probability', 'Most likely'], rows);
}

function unitTable(explanation: Explanation, standings: readonly UnitStanding[]): string {
  const rows = standings.map(({ index, score, share, rank }) => [
    String(index),
    explanation.units[index]?.label ?? '',
    explanation.units[index]?.kind ?? '',
    signedNumber(score),
    `${(100 * share).toFixed(1)} %`,
    rank === null ? '' : String(rank),
  ]);
  return table('Scores', ['Unit', 'Text', 'Kind', `Score (${scoreUnitName(explanation)})`, 'Share', 'Rank'], rows);
}

function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]) => row.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('');
  return (
    `<table><caption>${caption}</caption>` +
    `<thead><tr>${head.map((name) => `<th scope="col">${escapeMarkup(name)}</th>`).join('')}</tr></thead>` +
    `<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('')}</tbody></table>\n`
  );
}

function percent(logprob: number): string {
  return `${(100 * Math.exp(logprob)).toFixed(1)} %`;
}

function styleSheet(): string {
  const steps = [1, 2, 3, 4, 5].map(
    (magnitude) =>
      `.raise${magnitude}{background:${raisingColours[magnitude]};color:${inkOn(magnitude)}}` +
      `.lower${magnitude}{background:${loweringColours[magnitude]};color:${inkOn(magnitude)};text-decoration:underline dashed}`,
  );
  return (
    'body{font:1rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;margin:2rem auto;max-width:60rem;padding:0 1rem}' +
    'pre{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.9;border:1px solid #bbb;padding:1rem}' +
    '[data-score]:focus{outline:2px solid #005fb8;outline-offset:1px}#readout{min-height:1.5em}label{margin-right:1.5rem}' +
    'table{border-collapse:collapse;margin:1.5rem 0}caption{text-align:left;font-weight:600}' +
    'th,td{border:1px solid #bbb;padding:.2rem .5rem;text-align:left;overflow-wrap:anywhere}' +
    steps.join('')
  );
}
