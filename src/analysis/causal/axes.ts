/** Rows and columns of the pictures of causal tools. */
import type { Axis } from '../../shared/inspection/blocks.ts';
import type { ToolPrompt } from '../tools/tool.ts';

/** @param layers the numbers of those shown, or how many there are in all */
export function layerAxis(layers: number | readonly number[]): Axis {
  const shown = typeof layers === 'number' ? Array.from({ length: layers }, (_, layer) => layer) : layers;
  return { title: 'layer', entries: shown.map((layer) => ({ label: `L${layer}` })) };
}

export function headAxis(heads: number): Axis {
  return { title: 'head', entries: Array.from({ length: heads }, (_, head) => ({ label: `H${head}` })) };
}

export function positionAxis({ tokens }: Pick<ToolPrompt, 'tokens'>): Axis {
  return { title: 'position', entries: tokens.map(({ text }, index) => ({ label: text, tokens: [index] })) };
}

/** Positions of two prompts of one length: the clean word, and where they differ the corrupted one behind it. */
export function pairAxis(clean: Pick<ToolPrompt, 'tokens'>, corrupt: Pick<ToolPrompt, 'tokens'>): Axis {
  const { title, entries } = positionAxis(clean);
  const label = (own: string, other: string) => (own === other ? own : `${own} |${other}`);
  return {
    title,
    entries: entries.map((entry, index) => ({ ...entry, label: label(entry.label, corrupt.tokens[index]?.text ?? '') })),
  };
}

/** [rows][columns] */
export function gridRows(values: ArrayLike<number>, columns: number): number[][] {
  const rows: number[][] = [];
  for (let start = 0; start < values.length; start += columns) {
    rows.push(Array.from({ length: columns }, (_, column) => values[start + column] as number));
  }
  return rows;
}
