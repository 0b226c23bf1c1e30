import type { OnnxSite, OnnxSites } from './onnxSite.ts';

/** Sites of the same kind in every layer, in order; a site without a layer alone. */
export function sitesAlike(sites: OnnxSites, { site }: OnnxSite): OnnxSite[] {
  const kind = kindOf(site);
  return [...sites.values()].filter((other) => kindOf(other.site) === kind);
}

function kindOf(site: string): string {
  return site.replace(/\.\d+$/, '');
}
