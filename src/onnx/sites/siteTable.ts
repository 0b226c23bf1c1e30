import type { Probe } from '../graph/probe.ts';
import type { HeadTensor } from '../structure/attentionSites.ts';
import type { Structure } from '../structure/recognise.ts';
import type { OnnxSite, OnnxSites } from './onnxSite.ts';

/** Sites of the same kind in every layer, in order; a site without a layer alone. */
export function sitesAlike(sites: OnnxSites, { site }: OnnxSite): OnnxSite[] {
  const kind = kindOf(site);
  return [...sites.values()].filter((other) => kindOf(other.site) === kind);
}

function kindOf(site: string): string {
  return site.replace(/\.\d+$/, '');
}

/** Places of every recognised part; parts that were not found are absent. */
export function siteTable(structure: Structure, probe: Probe): OnnxSites {
  const { layers, heads, neurons, finalNorm } = structure;
  const hidden = structure.hidden ?? 0;
  const table = new Map<string, OnnxSite>();
  const rows = (site: string, tensor: string | null, width = hidden) => {
    if (tensor !== null) table.set(site, { site, tensor, layout: 'rows', heads: 0, width });
  };
  const perHead = (site: string, part: HeadTensor | null) => {
    const [, first = 0, second = 0, width = 0] = part === null ? [] : (probe.facts(part.tensor)?.dims[0] ?? []);
    // Keys that stand with their axes exchanged only are shown nowhere: a vector of them is scattered.
    if (part === null || part.layout === 'head, size, token') return;
    const isFirst = part.layout === 'head, token, size';
    table.set(site, {
      site,
      tensor: part.tensor,
      layout: isFirst ? 'heads-first' : 'heads',
      heads: isFirst ? first : second,
      width,
    });
  };
  const attention = (site: string, tensor: string | null) => {
    if (tensor !== null && heads !== null) table.set(site, { site, tensor, layout: 'attention', heads, width: 0 });
  };
  rows('embed', layers[0]?.residPre ?? structure.embedding);
  for (const [index, layer] of layers.entries()) {
    rows(`resid_pre.${index}`, layer.residPre);
    perHead(`q.${index}`, layer.q);
    perHead(`k.${index}`, layer.k);
    perHead(`v.${index}`, layer.v);
    attention(`scores.${index}`, layer.scores);
    attention(`pattern.${index}`, layer.probabilities);
    perHead(`z.${index}`, layer.z);
    rows(`attn_out.${index}`, layer.attnOut);
    rows(`resid_mid.${index}`, layer.residMid);
    if (neurons !== null) rows(`mlp_post.${index}`, layer.mlpPost, neurons);
    rows(`mlp_out.${index}`, layer.mlpOut);
    rows(`resid_post.${index}`, layer.residPost);
  }
  rows('final_norm', finalNorm);
  if (structure.kind === 'causal-lm' && structure.vocabulary !== null) rows('logits', structure.output, structure.vocabulary);
  return table;
}
