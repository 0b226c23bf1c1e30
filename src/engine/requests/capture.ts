import { writeAtomically } from '../../analysis/atomicFile.ts';
import { safetensorsHeader, tensorBytes, tensorData } from '../../analysis/safetensors.ts';
import { parseSites } from '../../analysis/siteList.ts';
import { cancelled, methodUnsupported, siteUnknown } from '../../shared/errorCatalog.ts';
import type { CaptureToFileRequest, CaptureToFileResult } from '../../shared/protocol/engine.ts';
import type { RequestContext } from '../requestContext.ts';
import { activations, type SiteTensors, withGradients } from './captureSource.ts';
import { tokenizePrompt } from './promptTokens.ts';

/** Bytes captured in one pass; more than this is read in several, so that memory stays bounded. */
const heldBytes = 256 * 1024 * 1024;

/**
 * Writes captured activations, and with `gradients` a target's derivative at the same sites, as F32 tensors to a safetensors file,
 * which appears whole or not at all.
 * @throws E_SITE_UNKNOWN, E_LAYER_RANGE, E_METHOD_UNSUPPORTED, E_NUMERIC, E_DISK_FULL, E_OUTPUT_UNWRITABLE; with `gradients` as
 * `withGradients`
 */
export async function captureToFile(context: RequestContext, request: CaptureToFileRequest): Promise<CaptureToFileResult> {
  const { model, signal, progress } = context;
  if (!model.info.can.capture) throw methodUnsupported('capture', 'a look inside', ['explain', 'logprobs', 'generate']);
  const sites = parseSites(request.sites, request.layers, model.info);
  const prompt = await tokenizePrompt(model, request.prompt);
  const source =
    request.gradients === undefined
      ? activations(context, sites, prompt)
      : await withGradients(context, sites, prompt, request.gradients);
  const wanted = source.sites.flatMap(({ entries }) => entries);
  const common = { format: 'pt', model: model.info.name, model_sha256: model.info.sha256 };
  let done = 0;
  const bytes = await writeAtomically(request.out, async (append) => {
    for (const [index, group] of groupsOf(source.sites).entries()) {
      progress('capturing', done, wanted.length);
      const tensors = await source.read(group);
      if (index === 0) await append(safetensorsHeader(wanted, { ...common, ...source.metadata() }));
      for (const entry of group.flatMap(({ entries }) => entries)) {
        const data = tensors.get(entry.name);
        if (data === undefined || 4 * data.length !== tensorBytes(entry)) {
          throw siteUnknown(entry.name, 'this model does not give it in the expected shape', [...tensors.keys()]);
        }
        await append(tensorData(data));
        progress('capturing', ++done, wanted.length);
      }
      if (signal.aborted) throw cancelled();
    }
  });
  return { out: request.out, bytes, tensors: wanted.map(({ name, shape }) => ({ name, shape })) };
}

/** Neighbours that are read together; a site larger than the limit goes alone. */
function groupsOf(sites: readonly SiteTensors[]): SiteTensors[][] {
  const groups: SiteTensors[][] = [];
  let held = Number.POSITIVE_INFINITY;
  for (const site of sites) {
    const bytes = site.entries.reduce((sum, entry) => sum + tensorBytes(entry), 0);
    if (held + bytes > heldBytes) {
      groups.push([]);
      held = 0;
    }
    groups.at(-1)?.push(site);
    held += bytes;
  }
  return groups;
}
