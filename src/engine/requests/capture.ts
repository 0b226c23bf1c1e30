import { writeAtomically } from '../../analysis/atomicFile.ts';
import { safetensorsHeader, tensorBytes, tensorData, type TensorEntry } from '../../analysis/safetensors.ts';
import { parseSites } from '../../analysis/siteList.ts';
import { siteShape } from '../../analysis/siteShape.ts';
import { siteName, type Site } from '../../model/sites.ts';
import { cancelled, methodUnsupported, numeric, siteUnknown } from '../../shared/errorCatalog.ts';
import type { CaptureToFileRequest, CaptureToFileResult } from '../../shared/protocol/engine.ts';
import type { RequestContext } from '../requestContext.ts';
import { tokenizePrompt } from './promptTokens.ts';

/** Bytes captured in one forward pass; more than this is read in several, so that memory stays bounded. */
const heldBytes = 256 * 1024 * 1024;

interface WantedTensor extends TensorEntry {
  readonly site: Site;
}

/**
 * Writes captured activations as F32 tensors to a safetensors file, which appears whole or not at all.
 * @throws E_SITE_UNKNOWN, E_LAYER_RANGE, E_METHOD_UNSUPPORTED, E_NUMERIC, E_DISK_FULL, E_OUTPUT_UNWRITABLE
 */
export async function captureToFile(context: RequestContext, request: CaptureToFileRequest): Promise<CaptureToFileResult> {
  const { model, signal, progress } = context;
  if (!model.info.can.capture) throw methodUnsupported('capture', 'a look inside', ['explain', 'logprobs', 'generate']);
  const sites = parseSites(request.sites, request.layers, model.info);
  const { ids } = await tokenizePrompt(model, request.prompt);
  const wanted = sites.map(
    (site): WantedTensor => ({ site, name: siteName(site), shape: siteShape(site, model.info, ids.length) }),
  );
  const metadata = {
    format: 'pt',
    model: model.info.name,
    model_sha256: model.info.sha256,
    precision: model.info.precision,
    tokens: JSON.stringify(Array.from(ids)),
  };
  let done = 0;
  const bytes = await writeAtomically(request.out, async (append) => {
    await append(safetensorsHeader(wanted, metadata));
    for (const group of groupsOf(wanted)) {
      progress('capturing', done, wanted.length);
      const { captured, nonFinite } = await model.forward(
        { tokens: ids, capture: group.map(({ site }) => ({ site })) },
        { signal },
      );
      if (nonFinite !== null) throw numeric(nonFinite);
      for (const tensor of group) {
        const data = captured.get(tensor.name)?.data;
        if (data === undefined || 4 * data.length !== tensorBytes(tensor)) {
          throw siteUnknown(tensor.name, 'this model does not give it in the expected shape', [...captured.keys()]);
        }
        await append(tensorData(data));
        progress('capturing', ++done, wanted.length);
      }
      if (signal.aborted) throw cancelled();
    }
  });
  return { out: request.out, bytes, tensors: wanted.map(({ name, shape }) => ({ name, shape })) };
}

/** Neighbours that are captured together; a tensor larger than the limit goes alone. */
function groupsOf(tensors: readonly WantedTensor[]): WantedTensor[][] {
  const groups: WantedTensor[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    if (held + bytes > heldBytes) {
      groups.push([]);
      held = 0;
    }
    groups.at(-1)?.push(tensor);
    held += bytes;
  }
  return groups;
}
