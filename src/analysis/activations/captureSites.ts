import type { CallOptions, ForwardRequest, Model } from '../../model/model.ts';
import { type Site, siteName } from '../../model/sites.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';

/** Options of a model call out of what a tool was given. */
export function callOptions(signal: AbortSignal | undefined): CallOptions {
  return signal === undefined ? {} : { signal };
}

/**
 * One forward pass, and what was captured by site, in shapes as in sites.ts.
 * @throws E_NUMERIC when the pass met a NaN or an infinity, E_SITE_UNKNOWN when the model did not give a site, and as `Model.forward`
 */
export async function captureSites(
  model: Model,
  request: Omit<ForwardRequest, 'capture'> & { readonly sites: readonly Site[] },
  signal?: AbortSignal,
): Promise<(site: Site) => Float32Array> {
  const { sites, ...rest } = request;
  const { captured, nonFinite } = await model.forward({ ...rest, capture: sites.map((site) => ({ site })) }, callOptions(signal));
  if (nonFinite !== null) throw numeric(nonFinite);
  return (site) => {
    const name = siteName(site);
    const tensor = captured.get(name);
    if (tensor === undefined) throw siteUnknown(name, 'the model did not give it', [...captured.keys()]);
    return tensor.data;
  };
}
