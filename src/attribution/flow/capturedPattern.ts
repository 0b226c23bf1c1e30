import type { ForwardResult } from '../../model/model.ts';
import { siteName } from '../../model/sites.ts';
import { numeric, siteUnknown } from '../../shared/errorCatalog.ts';

/**
 * The attention of one layer out of a forward pass that was asked for it, in the shape it was asked for.
 * @throws E_NUMERIC when the pass met a NaN or an infinity, E_SITE_UNKNOWN when the model did not give the layer
 */
export function capturedPattern({ captured, nonFinite }: ForwardResult, layer: number): Float32Array {
  if (nonFinite !== null) throw numeric(nonFinite);
  const name = siteName({ kind: 'pattern', layer });
  const tensor = captured.get(name);
  if (tensor === undefined) throw siteUnknown(name, 'the model did not give it', [...captured.keys()]);
  return tensor.data;
}
