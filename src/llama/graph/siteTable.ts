/**
 * Finds our sites in llama.cpp's graph. Names alone do not do: they repeat (`Qcur-0` is a product, a reshape and a rotation),
 * some architectures leave tensors unnamed, and what a name means differs (`ffn_out` lies before gemma's post-normalisation).
 * So the residual stream is followed through its additions: whatever is added to it is `attn_out` or `mlp_out`, as
 * TransformerLens defines them, for every architecture that adds attention and MLP one after the other.
 */
import type { KnownSite, KnownSites } from '../../model/runtime/resolveSite.ts';
import type { SiteLayout } from '../../model/runtime/siteVectors.ts';
import { type LayerSite, siteName } from '../../model/sites.ts';
import { type GraphNode, surveyedTokens } from './graph.ts';

/** ggml's `ne` has the axes in reverse: `rows` is ne = [width, T]; `attention` is ne = [keys, T, H], keys beyond T are padding. */
export interface SiteNode extends KnownSite {
  readonly node: GraphNode;
  readonly layout: SiteLayout;
  /** Only the rows whose logits are read exist here; ask for all of them to see all positions. */
  readonly outputRowsOnly: boolean;
  /** The softmax behind `scores`: it scales and masks what the tensor holds. */
  readonly softmax: GraphNode | null;
}

export type SiteTable = KnownSites<SiteNode>;

/** Heads (1 where there are none) and numbers of a vector of a site, on a prompt of so many tokens. */
export function vectorShape(
  { layout, node, heads }: SiteNode,
  tokens: number,
): { readonly heads: number; readonly width: number } {
  if (layout === 'rows') return { heads: 1, width: node.ne[0] };
  if (layout === 'attention') return { heads, width: tokens };
  return { heads, width: layout === 'heads' ? node.ne[0] : node.ne[0] / heads };
}

const float32 = 0;
const softmaxOperator = 'SOFT_MAX';

export function findSites(nodes: readonly GraphNode[], layers: number): SiteTable {
  const table = new Map<string, SiteNode>();
  const named = lastByName(nodes);
  const put = (
    site: string,
    node: GraphNode | null | undefined,
    layout: SiteLayout,
    heads = 0,
    behind: GraphNode | null = null,
  ) => {
    if (node === null || node === undefined || node.type !== float32) return;
    const rows = layout === 'heads' ? node.ne[2] : node.ne[1];
    table.set(site, { site, node, layout, heads, outputRowsOnly: rows < surveyedTokens, softmax: behind });
  };
  put('final_norm', named('result_norm'), 'rows');
  put('logits', named('result_output'), 'rows');
  let stream: GraphNode | null = null;
  for (let layer = 0; layer < layers; layer++) {
    const of = (kind: LayerSite) => siteName({ kind, layer });
    const pattern = named(`kq_soft_max-${layer}`, softmaxOperator);
    const heads = pattern?.ne[2] ?? 0;
    put(of('pattern'), pattern, 'attention', heads);
    put(of('scores'), pattern?.sources[0], 'attention', heads, pattern);
    put(of('z'), named(`kqv_out-${layer}`, 'CONT'), 'joined-heads', heads);
    for (const [kind, name] of [
      ['q', 'Qcur'],
      ['k', 'Kcur'],
      ['v', 'Vcur'],
    ] as const) {
      const node = named(`${name}-${layer}`, kind === 'v' ? undefined : 'ROPE') ?? named(`${name}-${layer}`);
      if (node !== null && node.ne[2] === surveyedTokens) put(of(kind), node, 'heads', node.ne[1]);
    }
    const post = named(`l_out-${layer}`, 'ADD');
    const block = post === null || pattern === null ? null : residualBlock(post, stream, pattern);
    if (block !== null) {
      if (layer === 0) put('embed', block.stream, 'rows');
      put(of('resid_pre'), block.stream, 'rows');
      put(of('attn_out'), block.attention, 'rows');
      put(of('resid_mid'), block.middle, 'rows');
      put(of('mlp_out'), block.mlp, 'rows');
      put(of('mlp_post'), neurons(block.mlp), 'rows');
    }
    put(of('resid_post'), post, 'rows');
    stream = post;
  }
  return table;
}

/** A later node takes its name from an earlier one, so the last of a name (and operator) is the finished value. */
function lastByName(nodes: readonly GraphNode[]): (name: string, operator?: string) => GraphNode | null {
  const byName = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    const same = byName.get(node.name);
    if (same === undefined) byName.set(node.name, [node]);
    else same.push(node);
  }
  return (name, operator) => byName.get(name)?.findLast((node) => operator === undefined || node.operator === operator) ?? null;
}

interface ResidualBlock {
  readonly stream: GraphNode;
  readonly attention: GraphNode;
  readonly middle: GraphNode;
  readonly mlp: GraphNode;
}

/**
 * Splits `post = (stream + attention) + mlp`; `stream` is null for the first block, where it is what attention does not reach.
 * Only that order counts: with attention and MLP side by side, `(stream + mlp) + attention` has the same form.
 */
function residualBlock(post: GraphNode, stream: GraphNode | null, pattern: GraphNode): ResidualBlock | null {
  for (const [middle, mlp] of bothOrders(post)) {
    if (middle.operator !== 'ADD' || !dependsOn(mlp, middle)) continue;
    for (const [left, right] of bothOrders(middle)) {
      const entering = allRows(left);
      const isStream = stream === null ? !dependsOn(entering, pattern) : entering === stream;
      if (isStream && dependsOn(right, pattern)) return { stream: entering, attention: allRows(right), middle, mlp };
    }
  }
  return null;
}

function bothOrders({ sources: [left = null, right = null] }: GraphNode): (readonly [GraphNode, GraphNode])[] {
  if (left === null || right === null) return [];
  return [
    [left, right],
    [right, left],
  ];
}

/** The last block goes on with the read rows only; this is the tensor they were taken from. */
function allRows(node: GraphNode): GraphNode {
  const [source = null] = node.sources;
  return node.operator === 'GET_ROWS' && source !== null ? source : node;
}

function dependsOn(node: GraphNode, target: GraphNode, seen = new Set<GraphNode>()): boolean {
  if (node === target) return true;
  // Nodes come in order of computation.
  if (node.index < target.index || seen.has(node)) return false;
  seen.add(node);
  return node.sources.some((source) => source !== null && dependsOn(source, target, seen));
}

/** What the down-projection multiplies: the neurons behind activation and gate. Absent for mixtures of experts. */
function neurons(mlp: GraphNode): GraphNode | null {
  let node: GraphNode | null = mlp;
  while (node !== null) {
    const [left = null, right = null]: readonly (GraphNode | null)[] = node.sources;
    if (node.operator === 'MUL_MAT') return left === null && right !== null && isActivation(right) ? right : null;
    if (!['ADD', 'MUL', 'RMS_NORM', 'NORM', 'SCALE'].includes(node.operator)) return null;
    // A bias or a norm's weight is no node; two nodes would be something we do not know.
    if (left !== null && right !== null) return null;
    node = left ?? right;
  }
  return null;
}

function isActivation({ operator }: GraphNode): boolean {
  return ['GLU', 'UNARY', 'MUL', 'SQR', 'DIV'].includes(operator);
}
