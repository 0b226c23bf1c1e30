import { expect, test } from 'vitest';
import type { GraphNode } from '../../src/llama/graph/graph.ts';
import { findSites } from '../../src/llama/graph/siteTable.ts';

/** Builds a graph of one-width rows: each entry is a name, an operator and the names of the operands that are nodes. */
function graph(...entries: (readonly [name: string, operator: string, ...operands: string[]])[]): GraphNode[] {
  const nodes: GraphNode[] = [];
  for (const [name, operator, ...operands] of entries) {
    const sources = operands.map((operand) => nodes.findLast((node) => node.name === operand) ?? null);
    nodes.push({ index: nodes.length, name, operator, type: 0, ne: [8, 2, 1, 1], parameters: [1, 0], sources });
  }
  return nodes;
}

function residualSites(nodes: GraphNode[], layers: number): Record<string, string> {
  const entries = [...findSites(nodes, layers).values()].filter(({ site }) => /^(embed|resid|attn|mlp)/.test(site));
  return Object.fromEntries(entries.map(({ site, node }) => [site, node.name]));
}

const attention = (layer: number, stream: string) =>
  [
    [`kq-${layer}`, 'MUL_MAT', 'weight', stream],
    [`kq_soft_max-${layer}`, 'SOFT_MAX', `kq-${layer}`],
    [`attn-${layer}`, 'MUL_MAT', 'weight', `kq_soft_max-${layer}`],
  ] as const;

test('attention, then MLP: the parts of the residual stream are told apart, whichever way round they are added', () => {
  const nodes = graph(
    ['embd', 'GET_ROWS'],
    ...attention(0, 'embd'),
    ['mid-0', 'ADD', 'embd', 'attn-0'],
    ['act-0', 'GLU', 'mid-0'],
    ['down-0', 'MUL_MAT', 'weight', 'act-0'],
    ['l_out-0', 'ADD', 'mid-0', 'down-0'],
    ...attention(1, 'l_out-0'),
    ['rows', 'GET_ROWS', 'l_out-0'],
    ['attn rows', 'GET_ROWS', 'attn-1'],
    ['mid-1', 'ADD', 'attn rows', 'rows'],
    ['act-1', 'GLU', 'mid-1'],
    ['down-1', 'MUL_MAT', 'weight', 'act-1'],
    ['norm-1', 'RMS_NORM', 'down-1'],
    ['post-1', 'MUL', 'norm-1', 'weight'],
    ['l_out-1', 'ADD', 'post-1', 'mid-1'],
  );
  expect(residualSites(nodes, 2)).toEqual({
    embed: 'embd',
    'resid_pre.0': 'embd',
    'attn_out.0': 'attn-0',
    'resid_mid.0': 'mid-0',
    'mlp_post.0': 'act-0',
    'mlp_out.0': 'down-0',
    'resid_post.0': 'l_out-0',
    'resid_pre.1': 'l_out-0',
    'attn_out.1': 'attn-1',
    'resid_mid.1': 'mid-1',
    'mlp_post.1': 'act-1',
    'mlp_out.1': 'post-1',
    'resid_post.1': 'l_out-1',
  });
});

test('attention and MLP side by side: no part is given a wrong name', () => {
  const block = (layer: number, stream: string) =>
    [
      ...attention(layer, stream),
      [`act-${layer}`, 'UNARY', stream],
      [`down-${layer}`, 'MUL_MAT', 'weight', `act-${layer}`],
      [`sum-${layer}`, 'ADD', `down-${layer}`, stream],
      [`l_out-${layer}`, 'ADD', `sum-${layer}`, `attn-${layer}`],
    ] as const;
  const nodes = graph(['embd', 'GET_ROWS'], ...block(0, 'embd'), ...block(1, 'l_out-0'));
  expect(residualSites(nodes, 2)).toEqual({ 'resid_post.0': 'l_out-0', 'resid_post.1': 'l_out-1' });
});

test('a mixture of experts shows everything but neurons', () => {
  const nodes = graph(
    ['embd', 'GET_ROWS'],
    ...attention(0, 'embd'),
    ['mid', 'ADD', 'attn-0', 'embd'],
    ['experts', 'MUL_MAT_ID', 'mid'],
    ['first', 'VIEW', 'experts'],
    ['second', 'VIEW', 'experts'],
    ['moe', 'ADD', 'first', 'second'],
    ['l_out-0', 'ADD', 'moe', 'mid'],
  );
  expect(Object.keys(residualSites(nodes, 1)).sort()).toEqual([
    'attn_out.0',
    'embed',
    'mlp_out.0',
    'resid_mid.0',
    'resid_post.0',
    'resid_pre.0',
  ]);
});
