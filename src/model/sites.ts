/**
 * Named places in the forward pass, in TransformerLens vocabulary. L = layer index.
 * Shapes: T tokens, D hidden, H heads, K key/value heads, S head size, F neurons, V vocabulary.
 *
 * | site           | shape        | meaning                                             |
 * |----------------|--------------|-----------------------------------------------------|
 * | embed          | [T, D]       | what enters block 0                                 |
 * | resid_pre.L    | [T, D]       | residual stream entering block L                    |
 * | q.L k.L v.L    | [T, H|K, S]  | after rotary position embedding (q, k)              |
 * | scores.L       | [H, T, T]    | attention logits before softmax, scaled             |
 * | pattern.L      | [H, T, T]    | attention probabilities, row = query                |
 * | z.L            | [T, H, S]    | per-head output before the output projection        |
 * | attn_out.L     | [T, D]       | what attention adds to the residual stream          |
 * | resid_mid.L    | [T, D]       | residual stream between attention and MLP           |
 * | mlp_post.L     | [T, F]       | neurons after the activation (and gate)             |
 * | mlp_out.L      | [T, D]       | what the MLP adds to the residual stream            |
 * | resid_post.L   | [T, D]       | residual stream leaving block L                     |
 * | final_norm     | [T, D]       | after the last normalisation                        |
 * | logits         | [T, V]       | before softmax                                      |
 */
export const layerSites = [
  'resid_pre',
  'q',
  'k',
  'v',
  'scores',
  'pattern',
  'z',
  'attn_out',
  'resid_mid',
  'mlp_post',
  'mlp_out',
  'resid_post',
] as const;
export const globalSites = ['embed', 'final_norm', 'logits'] as const;

export type LayerSite = (typeof layerSites)[number];
export type GlobalSite = (typeof globalSites)[number];
type SiteKind = LayerSite | GlobalSite;

/** A site and, for layer sites, its layer. */
export interface Site {
  readonly kind: SiteKind;
  readonly layer?: number;
}

/** `resid_post.3`, `embed`: the name used in files and on the command line. */
export function siteName(site: Site): string {
  return site.layer === undefined ? site.kind : `${site.kind}.${site.layer}`;
}

export function isLayerSite(kind: string): kind is LayerSite {
  return (layerSites as readonly string[]).includes(kind);
}

export function isGlobalSite(kind: string): kind is GlobalSite {
  return (globalSites as readonly string[]).includes(kind);
}
