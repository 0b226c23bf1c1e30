/** Rows and columns of the pictures of causal tools. */
import type { Axis } from '../../shared/inspection/blocks.ts';
import type { ToolPrompt } from '../tools/tool.ts';

export function layerAxis(layers: number): Axis {
  return { title: 'layer', entries: Array.from({ length: layers }, (_, layer) => ({ label: `L${layer}` })) };
}

export function headAxis(heads: number): Axis {
  return { title: 'head', entries: Array.from({ length: heads }, (_, head) => ({ label: `H${head}` })) };
}

export function positionAxis({ tokens }: Pick<ToolPrompt, 'tokens'>): Axis {
  return { title: 'position', entries: tokens.map(({ text }, index) => ({ label: text, tokens: [index] })) };
}

/** [rows][columns] */
export function gridRows(values: ArrayLike<number>, columns: number): number[][] {
  const rows: number[][] = [];
  for (let start = 0; start < values.length; start += columns) {
    rows.push(Array.from({ length: columns }, (_, column) => values[start + column] as number));
  }
  return rows;
}
