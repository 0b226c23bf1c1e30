import type { ModelInfo } from '../model/model.ts';
import { globalSites, isGlobalSite, isLayerSite, layerSites, type Site, siteName } from '../model/sites.ts';
import { layerRange, siteUnknown } from '../shared/errorCatalog.ts';

/**
 * Sites as a user lists them: `resid_post` (at the given layers, or all), `pattern.3`, `logits`. Each once, in the order given.
 * @throws E_SITE_UNKNOWN, E_LAYER_RANGE
 */
export function parseSites(names: readonly string[], layers: readonly number[], info: Pick<ModelInfo, 'layers'>): Site[] {
  const sites = new Map<string, Site>();
  for (const layer of layers) checkLayer(`layer ${layer}`, layer, info.layers);
  for (const name of names.map((given) => given.trim())) {
    for (const site of sitesOf(name, layers, info.layers)) sites.set(siteName(site), site);
  }
  if (sites.size === 0) throw siteUnknown(names.join(', '), 'no site is named', knownSites());
  return [...sites.values()];
}

function sitesOf(name: string, layers: readonly number[], layerCount: number): Site[] {
  if (isGlobalSite(name)) return [{ kind: name }];
  if (isLayerSite(name)) {
    const chosen = layers.length > 0 ? layers : Array.from({ length: layerCount }, (_, layer) => layer);
    return chosen.map((layer) => ({ kind: name, layer }));
  }
  const [, kind = '', digits = ''] = /^([a-z_]+)\.(-?\d+)$/u.exec(name) ?? [];
  if (isGlobalSite(kind)) throw siteUnknown(name, `${kind} has no layers`, knownSites());
  if (!isLayerSite(kind)) throw siteUnknown(name, 'no site has this name', knownSites());
  const layer = Number(digits);
  checkLayer(name, layer, layerCount);
  return [{ kind, layer }];
}

function checkLayer(name: string, layer: number, layerCount: number): void {
  if (!Number.isInteger(layer) || layer < 0 || layer >= layerCount) throw layerRange(name, layerCount);
}

function knownSites(): string[] {
  return [...globalSites, ...layerSites.map((kind) => `${kind}[.LAYER]`)];
}
