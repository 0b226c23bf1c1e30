/** Parts of the model that write into the residual stream or read from it, as the user names them. */
import type { ModelInfo } from '../../model/model.ts';
import { headRange, layerRange } from '../../shared/errorCatalog.ts';
import { toolParameter } from '../../shared/toolErrors.ts';

/** `embed`, `head` 3.5 (layer 3, head 5), `attn` 3 (all heads of layer 3), `mlp` 3, `logits`. */
export interface Component {
  readonly kind: 'embed' | 'head' | 'attn' | 'mlp' | 'logits';
  readonly layer: number;
  /** Of a head; else −1. */
  readonly head: number;
}

const kinds: readonly string[] = ['head', 'attn', 'mlp'];

/** @param allowed kinds the parameter takes @throws E_TOOL_PARAMETER, E_LAYER_RANGE, E_HEAD_RANGE */
export function readComponent(
  text: string,
  allowed: readonly Component['kind'][],
  { layers, heads }: Pick<ModelInfo, 'layers' | 'heads'>,
  tool: string,
  parameter: string,
): Component {
  const written = text.trim().toLowerCase();
  const [, kind = written, layerText, headText] = /^(head|attn|mlp)\s*(\d+)(?:\.(\d+))?$/u.exec(written) ?? [];
  const isNamed = allowed.some((each) => each === kind);
  const hasPlace = kinds.includes(kind) ? layerText !== undefined && (headText !== undefined) === (kind === 'head') : true;
  if (!isNamed || !hasPlace) {
    const forms = allowed.map((each) => (each === 'head' ? '"head 3.5"' : kinds.includes(each) ? `"${each} 3"` : `"${each}"`));
    throw toolParameter(tool, parameter, `${JSON.stringify(text)} names no part of the model`, `write ${forms.join(', ')}`);
  }
  const layer = layerText === undefined ? -1 : Number(layerText);
  const head = headText === undefined ? -1 : Number(headText);
  if (layer >= layers) throw layerRange(written, layers);
  if (head >= heads) throw headRange(`layer ${layer}`, head, heads);
  return { kind: kind as Component['kind'], layer, head };
}

/** Earlier parts are computed first: a part can only reach what has a higher number. */
export function depth({ kind, layer }: Component, layers: number): number {
  if (kind === 'embed') return -1;
  return kind === 'logits' ? 2 * layers : 2 * layer + (kind === 'mlp' ? 1 : 0);
}

export function componentLabel({ kind, layer, head }: Component): string {
  switch (kind) {
    case 'head':
      return `L${layer}.H${head}`;
    case 'attn':
      return `L${layer} attention`;
    case 'mlp':
      return `L${layer} MLP`;
    default:
      return kind === 'embed' ? 'embedding' : 'logits';
  }
}

/** Every head and every MLP, layer by layer. */
export function headsAndMlps({ layers, heads }: Pick<ModelInfo, 'layers' | 'heads'>): Component[] {
  return Array.from({ length: layers }, (_, layer): Component[] => [
    ...Array.from({ length: heads }, (_each, head): Component => ({ kind: 'head', layer, head })),
    { kind: 'mlp', layer, head: -1 },
  ]).flat();
}
