/** The logit lens as pictures: what each layer would say, how far the target is from first place, how far the answer is from final. */
import type { Axis, Block } from '../../shared/inspection/blocks.ts';
import type { Token } from '../../shared/tokens.ts';
import type { LensReport } from './logitLens.ts';

export interface LensPicture {
  readonly site: string;
  /** `L3` or `L3.H4`, one a row. */
  readonly rowLabels: readonly string[];
  readonly rowTitle: string;
  /** What stands at the asked positions; `index` counts the prompt's tokens, null in the response. */
  readonly positions: readonly { readonly text: string; readonly index: number | null }[];
  readonly report: LensReport;
  /** Text of a token. */
  readonly text: (id: number) => string;
  readonly targetLabel: string;
  readonly promptTokens: readonly Token[];
}

export function lensBlocks(picture: LensPicture): Block[] {
  const { rowLabels, rowTitle, positions, report, text, site, targetLabel } = picture;
  const rows: Axis = { title: rowTitle, entries: rowLabels.map((label) => ({ label })) };
  const columns: Axis = {
    title: 'token',
    entries: positions.map(({ text: label, index }) => (index === null ? { label } : { label, tokens: [index] })),
  };
  const cells = report.cells.flat();
  const details = cells.map(({ top, targetRank, targetLogprob, entropy, kl }) => {
    const likely = top.map(({ id, logprob }) => `${JSON.stringify(text(id))} ${percent(logprob)}`).join(', ');
    return `${likely}; target rank ${targetRank} (${percent(targetLogprob)}); entropy ${entropy.toFixed(2)} nat; KL ${kl.toFixed(2)} nat`;
  });
  const heat = (title: string, values: Float32Array, unit: string) => ({
    kind: 'heat' as const,
    title,
    rows,
    columns,
    values,
    unit,
    details,
  });
  const of = (value: (cell: (typeof cells)[number]) => number) => Float32Array.from(cells, value);
  const blocks: Block[] = [
    {
      ...heat(
        `Most likely next token, read from ${site}`,
        of(({ top }) => Math.exp(top[0]?.logprob ?? Number.NaN)),
        'probability',
      ),
      caption:
        'Colour: its probability. What a layer holds is read with the norm and unembedding of the last one: early layers were never trained for that.',
      scale: 'magnitude',
      range: [0, 1],
      texts: cells.map(({ top: [best] }) => (best === undefined ? '' : text(best.id))),
    },
    {
      ...heat(
        `Rank of the target (${targetLabel})`,
        of(({ targetRank }) => Math.log10(targetRank)),
        'log10 rank',
      ),
      caption: '0: the target is in first place; 1: tenth; 2: hundredth.',
      scale: 'magnitude',
    },
    {
      ...heat(
        'Distance to what the model finally predicts',
        of(({ kl }) => kl),
        'nat',
      ),
      caption: 'KL(final ‖ here).',
      scale: 'magnitude',
    },
  ];
  return rowTitle === 'layer' ? [...blocks, ...courseBlocks(picture)] : blocks;
}

/** How the answer comes about at the last position, and at which layer each position has settled. */
function courseBlocks({ report, positions, promptTokens, targetLabel, rowLabels }: LensPicture): Block[] {
  const last = positions.length - 1;
  const course = (value: (cell: LensReport['final'][number]) => number) =>
    report.cells.flatMap((row, layer) => (row[last] === undefined ? [] : [[layer, value(row[last])] as const]));
  const blocks: Block[] = [
    {
      kind: 'curve',
      title: `The target (${targetLabel}) over the layers, last position`,
      x: 'layer',
      y: 'log-probability (nat)',
      series: [
        { label: 'target', points: course(({ targetLogprob }) => targetLogprob) },
        { label: 'entropy', points: course(({ entropy }) => entropy) },
      ],
    },
  ];
  if (positions.length <= 1) return blocks;
  const scores = new Float32Array(promptTokens.length);
  positions.forEach(({ index }, position) => {
    if (index !== null) scores[index] = settledAt(report, position);
  });
  blocks.push({
    kind: 'prompt',
    title: 'Layer from which the prediction no longer changes',
    caption: `Of ${rowLabels.length} layers. High: the next token was decided late.`,
    unit: 'layer',
    signed: false,
    scores,
  });
  return blocks;
}

/** The first row from which on the most likely token is the final one. */
function settledAt({ cells, final }: LensReport, position: number): number {
  const answer = final[position]?.top[0]?.id;
  let settled = cells.length;
  while (settled > 0 && cells[settled - 1]?.[position]?.top[0]?.id === answer) settled--;
  return settled;
}

function percent(logprob: number): string {
  const probability = 100 * Math.exp(logprob);
  return `${probability >= 0.1 ? probability.toFixed(1) : probability.toPrecision(1)} %`;
}
