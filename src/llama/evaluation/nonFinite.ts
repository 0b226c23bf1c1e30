/** Names the first site that holds a NaN or an infinity, by running the same pass again and looking at every site. */
import type { Patch } from '../../model/model.ts';
import { SiteObserver } from '../sites/siteObserver.ts';
import { openSite } from '../sites/siteData.ts';
import type { NodeObserver } from './callbacks.ts';
import type { LlamaContext } from './context.ts';
import type { Evaluator } from './forward.ts';
import { allFinite } from '../../model/runtime/rowSummary.ts';

export interface SuspectPass {
  readonly tokens: Int32Array;
  readonly outputs: readonly number[];
  readonly patches: readonly Patch[];
}

/** Site name; `logits` when no site before them is to blame. Raw scores are looked at before their mask. */
export function firstNonFinite({ native, sites, info }: Evaluator, context: LlamaContext, pass: SuspectPass): string {
  const patcher = new SiteObserver(native.functions, sites, info, {
    captures: [],
    patches: pass.patches,
    tokens: pass.tokens.length,
  });
  const byIndex = new Map([...sites.values()].reverse().map((site) => [site.node.index, site] as const));
  let found: string | null = null;
  const inspector: NodeObserver = {
    wants: (index, tensor) => patcher.wants(index, tensor) || (found === null && byIndex.has(index)),
    ready(index, tensor) {
      patcher.ready(index, tensor);
      const site = byIndex.get(index);
      if (found !== null || site === undefined) return;
      if (!allFinite(openSite(site, tensor, pass.tokens.length).read(native.functions).raw)) found = site.site;
    },
  };
  context.clear(true);
  context.decode({ tokens: pass.tokens, from: 0, outputs: pass.outputs, observer: inspector });
  return found ?? 'logits';
}
