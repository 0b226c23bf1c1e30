/**
 * What patched passes over the same tokens have in common: everything below the first layer that a patch of their own can change. It is
 * computed once; each pass then begins at that layer.
 */
import type { Patch, VariantsRequest } from '../../model/model.ts';
import { siteName } from '../../model/sites.ts';
import { allFinite } from '../../model/runtime/rowSummary.ts';
import type { RestartPoint } from '../graph/restartPoints.ts';
import type { SiteTable } from '../graph/siteTable.ts';
import { SiteObserver } from '../sites/siteObserver.ts';
import type { LlamaContext } from './context.ts';
import type { Evaluator } from './forward.ts';

type Variant = VariantsRequest['variants'][number];

/** Floats of residual streams held at once. */
const heldFloats = 16 * 1024 * 1024;
/** Whole passes that must be saved before a pass is spent on it. */
const worthwhile = 1.5;

/** Where a patched pass begins, and with what. */
export interface Restart {
  readonly point: RestartPoint;
  /** [T, D] what enters the layer. */
  readonly stream: Float32Array;
  /** Patches that what is below the layer does not hold already. */
  readonly patches: readonly Patch[];
}

interface Stream {
  readonly point: RestartPoint;
  /** [T, D] */
  readonly values: Float32Array;
}

export class Trunk {
  readonly #sites: SiteTable;
  readonly #tokens: Int32Array;
  readonly #shared: ReadonlySet<Patch>;
  /** The deepest first. */
  readonly #streams: readonly Stream[];

  private constructor(sites: SiteTable, tokens: Int32Array, shared: ReadonlySet<Patch>, streams: readonly Stream[]) {
    this.#sites = sites;
    this.#tokens = tokens;
    this.#shared = shared;
    this.#streams = streams;
  }

  /** One whole pass, of which the cache keeps what lies before the first shared patch. Null where it would save too little. */
  static grow(evaluator: Evaluator, context: LlamaContext, variants: readonly Variant[]): Trunk | null {
    const { info, native, sites, restartPoints } = evaluator;
    const [first] = variants;
    if (restartPoints.length === 0 || first === undefined) return null;
    const { tokens } = first;
    const shared = new Set(
      (first.patches ?? []).filter((patch) => variants.every((variant) => variant.patches?.includes(patch) === true)),
    );
    const found = variants.flatMap((variant) => {
      const index = sameTokens(variant.tokens, tokens) ? firstChanged(variant, shared, sites) : -1;
      return restartPoints.find((point) => point.site.node.index <= index) ?? [];
    });
    if (found.reduce((saved, { layer }) => saved + layer / info.layers, 0) < worthwhile) return null;
    const wanted = restartPoints.filter((point) => found.includes(point));
    const step = Math.ceil((wanted.length * tokens.length * info.hidden) / heldFloats);
    // The shallowest of every few, so that each pass finds one below its own.
    const points = wanted.filter((_, index) => (wanted.length - 1 - index) % step === 0);
    const observer = new SiteObserver(native.functions, sites, info, {
      captures: points.map(({ layer }) => ({ site: { kind: 'resid_pre', layer } })),
      // Those behind the deepest stream change none of them, and would ask for rows that are not computed.
      patches: [...shared].filter((patch) => nodeOf(patch, sites) <= (points[0]?.site.node.index ?? -1)),
      tokens: tokens.length,
    });
    context.decode({ tokens, from: 0, outputs: [tokens.length - 1], observer });
    const streams = points.map((point): Stream => {
      return { point, values: observer.captured.get(point.site.site)?.data ?? new Float32Array(0) };
    });
    if (streams.every(({ values }) => allFinite(values))) {
      context.truncate(firstPatched({ tokens, read: [], patches: [...shared] }));
      return new Trunk(sites, tokens, shared, streams);
    }
    context.clear(true);
    return null;
  }

  restart(variant: Variant): Restart | null {
    if (!sameTokens(variant.tokens, this.#tokens)) return null;
    const index = firstChanged(variant, this.#shared, this.#sites);
    const found = this.#streams.find(({ point }) => point.site.node.index <= index);
    if (found === undefined) return null;
    // What the other passes share and lies below is in the stream already.
    const patches = (variant.patches ?? []).filter(
      (patch) => !this.#shared.has(patch) || nodeOf(patch, this.#sites) > found.point.site.node.index,
    );
    return { point: found.point, stream: found.values, patches };
  }
}

/** Index of the first node that a patch of the variant's own changes; −1: it has none. */
function firstChanged({ patches = [] }: Variant, shared: ReadonlySet<Patch>, sites: SiteTable): number {
  const own = patches.filter((patch) => !shared.has(patch));
  return own.length === 0 ? -1 : Math.min(...own.map((patch) => nodeOf(patch, sites)));
}

function nodeOf({ site }: Patch, sites: SiteTable): number {
  return sites.get(siteName(site))?.node.index ?? -1;
}

/** The first position a patch can change; behind the end when there is none. A mean and attention need the whole sequence. */
export function firstPatched({ tokens, patches = [] }: Variant): number {
  return patches.reduce((first, { site, positions = [0], operation }) => {
    const needsAll = site.kind === 'pattern' || site.kind === 'scores' || operation.kind === 'mean';
    return Math.min(first, needsAll ? 0 : Math.min(...positions, tokens.length));
  }, tokens.length);
}

function sameTokens(a: Int32Array, b: Int32Array): boolean {
  return a === b || (a.length === b.length && a.every((id, index) => id === b[index]));
}
