import { isGlobalSite, isLayerSite, type Site } from '../../../src/model/sites.ts';

/** `resid_post.3` → the site. */
export function parseSiteName(name: string): Site {
  const [kind = '', layer] = name.split('.');
  if (isLayerSite(kind)) return { kind, layer: Number(layer) };
  if (isGlobalSite(kind)) return { kind };
  throw new Error(`${name} is no site`);
}
