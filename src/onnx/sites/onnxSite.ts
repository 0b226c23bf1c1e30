import type { KnownSite, KnownSites } from '../../model/runtime/resolveSite.ts';
import type { SiteLayout, SiteVectors } from '../../model/runtime/siteVectors.ts';

/** How the axes of an ONNX tensor map to a site's; of B sequences the first is meant. */
export type OnnxLayout =
  /** [B, T, width] */
  | 'rows'
  /** [B, heads, T, S] */
  | 'heads-first'
  /** [B, T, heads, S] */
  | 'heads'
  /** [B, T, heads·S] */
  | 'joined-heads'
  /** [B, H, T, T] */
  | 'attention';

export interface OnnxSite extends KnownSite {
  /** Name of the tensor in the lowered graph. */
  readonly tensor: string;
  readonly layout: OnnxLayout;
  /** Numbers of a vector: hidden size, head size, neurons; for attention sites it is the number of tokens. */
  readonly width: number;
}

export type OnnxSites = KnownSites<OnnxSite>;

/** Heads (1 where there are none) and numbers of a vector, on a prompt of so many tokens. */
export function vectorShape(
  { layout, heads, width }: OnnxSite,
  tokens: number,
): { readonly heads: number; readonly width: number } {
  return { heads: layout === 'rows' ? 1 : heads, width: layout === 'attention' ? tokens : width };
}

/** Shape of the tensor. */
export function tensorDims({ layout, heads, width }: OnnxSite, tokens: number, sequences = 1): number[] {
  switch (layout) {
    case 'rows':
      return [sequences, tokens, width];
    case 'heads-first':
      return [sequences, heads, tokens, width];
    case 'heads':
      return [sequences, tokens, heads, width];
    case 'joined-heads':
      return [sequences, tokens, heads * width];
    case 'attention':
      return [sequences, heads, tokens, tokens];
  }
}

/** Axis of the positions (of an attention site: the queries). */
export function positionAxis(layout: OnnxLayout): number {
  return layout === 'heads-first' || layout === 'attention' ? 2 : 1;
}

/** The layout that a captured site is copied with, once its vectors are found. */
export function siteLayout(layout: OnnxLayout): SiteLayout {
  return layout === 'heads-first' ? 'heads' : layout;
}

/** @param length tokens of the tensor; `tokens` of them are the prompt's, the rest fills up */
export function siteVectors(site: OnnxSite, raw: Float32Array, tokens: number, length = tokens): SiteVectors {
  const { heads, width } = vectorShape(site, tokens);
  const stride = site.layout === 'attention' ? length : width;
  const offset =
    positionAxis(site.layout) === 2
      ? (position: number, head: number) => (head * length + position) * stride
      : (position: number, head: number) => (position * heads + head) * stride;
  return { raw, positions: tokens, heads, width, offset };
}
