/** Checks what a request says of sites against the model, before any native memory is touched. */
import type { CaptureRequest, ModelInfo, Patch } from '../../model/model.ts';
import { globalSites, isGlobalSite, isLayerSite, layerSites, type Site, siteName } from '../../model/sites.ts';
import { headRange, layerRange, patchShape, siteUnknown } from '../../shared/errorCatalog.ts';
import { checkPosition } from '../evaluation/checkRequest.ts';
import type { SiteNode, SiteTable } from '../graph/siteTable.ts';
import { patchedNumbers } from './applyPatch.ts';

/** @throws E_SITE_UNKNOWN, E_LAYER_RANGE */
function resolveSite(site: Site, table: SiteTable, info: ModelInfo): SiteNode {
  const name = siteName(site);
  const unknown = (why: string) => siteUnknown(name, why, [...globalSites, ...layerSites.map((kind) => `${kind}.LAYER`)]);
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

/** @throws E_SITE_UNKNOWN, E_LAYER_RANGE, E_HEAD_RANGE */
export function resolveCapture({ site, reduce }: CaptureRequest, table: SiteTable, info: ModelInfo): SiteNode {
  const found = resolveSite(site, table, info);
  if (reduce !== undefined && site.kind !== 'pattern') {
    throw siteUnknown(found.site, 'only attention patterns can be reduced', ['pattern.LAYER']);
  }
  if (reduce?.kind === 'head') checkHead(found, reduce.head);
  return found;
}

/** @throws E_SITE_UNKNOWN, E_LAYER_RANGE, E_HEAD_RANGE, E_TOKEN_RANGE, E_PATCH_SHAPE */
export function resolvePatch(patch: Patch, table: SiteTable, info: ModelInfo, tokens: number): SiteNode {
  const found = resolveSite(patch.site, table, info);
  for (const position of patch.positions ?? []) checkPosition(position, tokens);
  for (const head of patch.heads ?? []) checkHead(found, head);
  if (patch.operation.kind === 'overwrite' || patch.operation.kind === 'add') {
    const { values } = patch.operation;
    const expected = patchedNumbers({ positions: tokens, ...vectorShape(found, tokens) }, patch);
    if (values.length !== expected) throw patchShape(found.site, expected, values.length);
  }
  if (patch.operation.kind === 'hide') {
    if (patch.site.kind !== 'scores') throw siteUnknown(found.site, 'keys are hidden from attention scores', ['scores.LAYER']);
    for (const key of patch.operation.keys) checkPosition(key, tokens);
  }
  return found;
}

function vectorShape({ layout, node, heads }: SiteNode, tokens: number): { readonly heads: number; readonly width: number } {
  if (layout === 'rows') return { heads: 1, width: node.ne[0] };
  if (layout === 'attention') return { heads, width: tokens };
  return { heads, width: layout === 'heads' ? node.ne[0] : node.ne[0] / heads };
}

function checkHead({ site, heads }: SiteNode, head: number): void {
  if (heads === 0)
    throw siteUnknown(site, 'it is not divided into heads', ['z.LAYER', 'pattern.LAYER', 'q.LAYER', 'k.LAYER', 'v.LAYER']);
  if (!Number.isInteger(head) || head < 0 || head >= heads) throw headRange(site, head, heads);
}
