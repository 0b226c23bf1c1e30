/** Checks what a request says of sites against the model, before the runtime is touched. */
import { headRange, layerRange, patchShape, siteUnknown } from '../../shared/errorCatalog.ts';
import type { CaptureRequest, ModelInfo, Patch } from '../model.ts';
import { globalSites, isGlobalSite, isLayerSite, layerSites, type Site, siteName } from '../sites.ts';
import { checkPosition } from './checkRequest.ts';
import type { SiteVectors } from './siteVectors.ts';

/** A site as a runtime knows it. */
export interface KnownSite {
  /** Canonical name, `z.3`. */
  readonly site: string;
  /** Heads of an attention site or of q, k, v, z; 0 elsewhere. */
  readonly heads: number;
}

/** Site name → where it is. Sites an architecture does not have are absent. */
export type KnownSites<T extends KnownSite> = ReadonlyMap<string, T>;

/** @throws E_SITE_UNKNOWN, E_LAYER_RANGE */
function resolveSite<T extends KnownSite>(site: Site, table: KnownSites<T>, info: ModelInfo): T {
  const name = siteName(site);
  const unknown = (why: string) => siteUnknown(name, why, sitesOf(table));
  if (isGlobalSite(site.kind)) {
    if (site.layer !== undefined) throw unknown(`${site.kind} belongs to no layer`);
  } else if (!isLayerSite(site.kind)) {
    throw unknown('there is no site of this name');
  } else if (site.layer === undefined) {
    throw unknown(`${site.kind} exists once in each layer, and none was named`);
  } else if (!Number.isInteger(site.layer) || site.layer < 0 || site.layer >= info.layers) {
    throw layerRange(name, info.layers);
  }
  const found = table.get(name);
  if (found === undefined) throw unknown(`models of the architecture ${info.architecture} do not show it`);
  return found;
}

/** What a user may name: the sites this model has. */
function sitesOf<T extends KnownSite>(table: KnownSites<T>): string[] {
  const inLayers = new Set([...table.keys()].map((name) => name.replace(/\.\d+$/, '.LAYER')));
  return [...globalSites, ...layerSites.map((kind) => `${kind}.LAYER`)].filter((name) => inLayers.has(name));
}

/** @throws E_SITE_UNKNOWN, E_LAYER_RANGE, E_HEAD_RANGE */
export function resolveCapture<T extends KnownSite>({ site, reduce }: CaptureRequest, table: KnownSites<T>, info: ModelInfo): T {
  const found = resolveSite(site, table, info);
  if (reduce !== undefined && site.kind !== 'pattern') {
    throw siteUnknown(found.site, 'only attention patterns can be reduced', ['pattern.LAYER']);
  }
  if (reduce?.kind === 'head') checkHead(found, reduce.head);
  return found;
}

/**
 * @param shape heads (1 where there are none) and numbers of a vector of the site, on a prompt of so many tokens
 * @throws E_SITE_UNKNOWN, E_LAYER_RANGE, E_HEAD_RANGE, E_TOKEN_RANGE, E_PATCH_SHAPE
 */
export function resolvePatch<T extends KnownSite>(
  patch: Patch,
  table: KnownSites<T>,
  info: ModelInfo,
  tokens: number,
  shape: (site: T, tokens: number) => { readonly heads: number; readonly width: number },
): T {
  const found = resolveSite(patch.site, table, info);
  for (const position of patch.positions ?? []) checkPosition(position, tokens);
  for (const head of patch.heads ?? []) checkHead(found, head);
  if (patch.operation.kind === 'overwrite' || patch.operation.kind === 'add') {
    const { values } = patch.operation;
    const expected = patchedNumbers({ positions: tokens, ...shape(found, tokens) }, patch);
    if (values.length !== expected) throw patchShape(found.site, expected, values.length);
  }
  if (patch.operation.kind === 'hide') {
    if (patch.site.kind !== 'scores') throw siteUnknown(found.site, 'keys are hidden from attention scores', ['scores.LAYER']);
    for (const key of patch.operation.keys) checkPosition(key, tokens);
  }
  return found;
}

/** Numbers a patch's `values` must have. */
function patchedNumbers(
  vectors: Pick<SiteVectors, 'positions' | 'heads' | 'width'>,
  { positions, heads }: Pick<Patch, 'positions' | 'heads'>,
): number {
  return (positions?.length ?? vectors.positions) * (heads?.length ?? vectors.heads) * vectors.width;
}

function checkHead({ site, heads }: KnownSite, head: number): void {
  if (heads === 0)
    throw siteUnknown(site, 'it is not divided into heads', ['z.LAYER', 'pattern.LAYER', 'q.LAYER', 'k.LAYER', 'v.LAYER']);
  if (!Number.isInteger(head) || head < 0 || head >= heads) throw headRange(site, head, heads);
}
