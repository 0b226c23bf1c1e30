/** Which parts of a model are replaced, one at a time, as rows and columns of a picture. */
import type { LayerSite } from '../../model/sites.ts';
import type { Axis } from '../../shared/inspection/blocks.ts';
import { toolParameter } from '../../shared/toolErrors.ts';
import type { ToolPrompt } from '../tools/tool.ts';
import { headAxis, layerAxis, positionAxis } from './axes.ts';

export const ablatedParts = ['head', 'mlp', 'attn', 'resid', 'neuron'] as const;
export type AblatedPart = (typeof ablatedParts)[number];

export const ablatedSites: Record<AblatedPart, LayerSite> = {
  head: 'z',
  mlp: 'mlp_out',
  attn: 'attn_out',
  resid: 'resid_post',
  neuron: 'mlp_post',
};

/** What one cell replaces: absent heads, positions, neuron mean all of them. */
export interface AblatedPlace {
  readonly layer: number;
  readonly heads?: readonly number[];
  readonly positions?: readonly number[];
  readonly neuron?: number;
}

export interface AblationGrid {
  readonly rows: Axis;
  readonly columns: Axis;
  /** [rows × columns], row by row. */
  readonly places: readonly AblatedPlace[];
}

export interface AblationChoice {
  readonly what: AblatedPart;
  readonly by: 'part' | 'position';
  /** Ascending; a single one where heads or neurons are looked at by position. */
  readonly layers: readonly number[];
  readonly heads: number;
  /** For neurons: which of the layer. */
  readonly neurons: readonly number[];
  readonly prompt: Pick<ToolPrompt, 'tokens'>;
}

/** @throws E_TOOL_PARAMETER where one layer must be named and is not */
export function ablationGrid({ what, by, layers, heads, neurons, prompt }: AblationChoice): AblationGrid {
  const [layer = 0] = layers;
  const layerRows = layerAxis(layers);
  const parts: Axis =
    what === 'head' ? headAxis(heads) : { title: 'neuron', entries: neurons.map((neuron) => ({ label: `N${neuron}` })) };
  const part = (index: number) => (what === 'head' ? { heads: [index] } : { neuron: neurons[index] as number });
  const isSplit = what === 'head' || what === 'neuron';
  if (layers.length > 1 && (what === 'neuron' || (what === 'head' && by === 'position'))) {
    const why = what === 'neuron' ? 'neurons are ablated' : 'heads are ablated by position';
    throw toolParameter('ablate', 'layer', `${why} in one layer at a time`, 'name one with --layer');
  }
  if (by === 'position' || what === 'resid') {
    const columns = positionAxis(prompt);
    const rows = isSplit ? { ...parts, entries: parts.entries.map(({ label }) => ({ label: `L${layer}.${label}` })) } : layerRows;
    return grid(rows, columns, (row, column) =>
      isSplit ? { layer, ...part(row), positions: [column] } : { layer: layers[row] as number, positions: [column] },
    );
  }
  const whole: Axis = { title: '', entries: [{ label: what === 'mlp' ? 'MLP' : 'attention' }] };
  return grid(layerRows, isSplit ? parts : whole, (row, column) => ({
    layer: layers[row] as number,
    ...(isSplit ? part(column) : {}),
  }));
}

function grid(rows: Axis, columns: Axis, place: (row: number, column: number) => AblatedPlace): AblationGrid {
  return { rows, columns, places: rows.entries.flatMap((_, row) => columns.entries.map((_entry, column) => place(row, column))) };
}
