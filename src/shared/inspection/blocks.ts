/**
 * What a tool that looks inside a model shows: a list of blocks, in plain data. The panel draws them, the terminal prints them;
 * neither knows the tools. Labels and texts are hostile (they come from tokens): never HTML.
 */

/** One row or column; `tokens`: the prompt tokens it stands for, marked in the editor while it is pointed at. */
interface AxisEntry {
  readonly label: string;
  readonly tokens?: readonly number[];
}

export interface Axis {
  readonly title: string;
  readonly entries: readonly AxisEntry[];
}

/** A picture of numbers: layer × position, layer × head, head × head, … */
export interface HeatBlock {
  readonly kind: 'heat';
  readonly title: string;
  readonly caption?: string;
  readonly rows: Axis;
  readonly columns: Axis;
  /** [rows, columns], row-major, in `unit`. NaN: no such cell. */
  readonly values: Float32Array;
  readonly unit: string;
  /** `signed`: 0 is neutral, both colours; `magnitude`: from 0 (or `range[0]`) up. */
  readonly scale: 'signed' | 'magnitude';
  /** Ends of the colour scale, where they are not the data's own. */
  readonly range?: readonly [number, number];
  /** [rows × columns] what stands in each cell (a token); absent: the colour alone. */
  readonly texts?: readonly string[];
  /** [rows × columns] one line more about each cell, shown when it is pointed at. */
  readonly details?: readonly string[];
}

export interface TableBlock {
  readonly kind: 'table';
  readonly title: string;
  readonly caption?: string;
  readonly columns: readonly { readonly label: string; readonly numeric?: true; readonly unit?: string }[];
  /** As many cells as there are columns; numbers are formatted by whoever draws them. */
  readonly rows: readonly { readonly cells: readonly (string | number)[]; readonly tokens?: readonly number[] }[];
}

/** Bars of signed numbers; as a waterfall each begins where the one before ended, and all end at `total`. */
export interface BarsBlock {
  readonly kind: 'bars';
  readonly title: string;
  readonly caption?: string;
  readonly unit: string;
  readonly bars: readonly {
    readonly label: string;
    readonly value: number;
    readonly detail?: string;
    readonly tokens?: readonly number[];
  }[];
  readonly total?: { readonly label: string; readonly value: number };
  readonly waterfall?: true;
}

/** Components and what flows between them; a node is drawn in column `column` at height `row`. */
export interface GraphBlock {
  readonly kind: 'graph';
  readonly title: string;
  readonly caption?: string;
  readonly unit: string;
  readonly nodes: readonly {
    readonly id: string;
    readonly label: string;
    readonly column: number;
    readonly row: number;
    readonly tokens?: readonly number[];
  }[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly weight: number }[];
}

export interface CurveBlock {
  readonly kind: 'curve';
  readonly title: string;
  readonly caption?: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly { readonly label: string; readonly points: readonly (readonly [number, number])[] }[];
  /** Also the line y = x (calibration). */
  readonly diagonal?: true;
}

/** Scores on the prompt itself, drawn in the editor as an overlay. */
export interface PromptBlock {
  readonly kind: 'prompt';
  readonly title: string;
  readonly caption?: string;
  readonly unit: string;
  readonly signed: boolean;
  /** One a prompt token. */
  readonly scores: Float32Array;
}

/** An edit of the prompt that can be applied with one click. Offsets are UTF-16 units of the prompt's text. */
export interface EditBlock {
  readonly kind: 'edit';
  readonly title: string;
  readonly caption?: string;
  readonly edits: readonly { readonly start: number; readonly end: number; readonly text: string }[];
  /** What the model answers before and after. */
  readonly before: string;
  readonly after: string;
}

/** Plain words: a finding, a comparison of texts, a reason not to trust what stands beside it. */
export interface TextBlock {
  readonly kind: 'text';
  readonly title?: string;
  readonly tone?: 'finding' | 'warning';
  readonly lines: readonly string[];
}

export type Block = HeatBlock | TableBlock | BarsBlock | GraphBlock | CurveBlock | PromptBlock | EditBlock | TextBlock;
