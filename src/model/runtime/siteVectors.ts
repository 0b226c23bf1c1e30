/** A site's tensor as a runtime holds it, vector by vector, whatever the order of its axes in memory. */

/** How a tensor's axes map to a site's. */
export type SiteLayout =
  /** [T, width] */
  | 'rows'
  /** [T, heads, S] */
  | 'heads'
  /** [T, heads·S] → [T, heads, S] */
  | 'joined-heads'
  /** [H, T, T], keys beyond T are padding */
  | 'attention';

/** One contiguous vector of a site: a row of the residual stream, one head at one position, one query's keys. */
export interface SiteVectors {
  /** The tensor as it lies in memory, gaps and padding included. */
  readonly raw: Float32Array;
  readonly positions: number;
  /** 1 for sites without heads. */
  readonly heads: number;
  /** Numbers in a vector. */
  readonly width: number;
  /** Where a vector begins in `raw`. */
  readonly offset: (position: number, head: number) => number;
}
