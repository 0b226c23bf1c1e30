import { cancelled, methodSize } from '../../shared/errorCatalog.ts';
import type { AttributionMethod } from '../method.ts';
import { isHidden, sumByShownUnit } from '../scoredUnits.ts';
import { wholeSequence } from '../gradient/promptGradient.ts';
import { attentionWarning } from './attention.ts';
import { capturedPattern } from './capturedPattern.ts';
import { FlowNetwork } from './maximumFlow.ts';

const id = 'attention-flow';

/** Most edges of a network times tokens that ask for a flow through it: about two minutes. 400 tokens with 30 layers. */
const mostEdges = 1e9;

/**
 * Attention flow (Abnar & Zuidema 2020, arXiv 2005.00928, section 3): attention, half of it replaced by what stays at its position, as
 * the capacities of a network of layers, and for each token the most that flows to it from the row that predicts the target. A share
 * in [0, 1], unsigned; flows to several tokens share capacities, so that they may add up to more than 1. The rows of a longer target
 * give equal parts of the flow. See docs/methods/attention-flow.md.
 */
export const attentionFlow: AttributionMethod = {
  id,
  family: 'flow',
  label: 'Attention flow',
  assumption: 'How much could have come from this word along attention at most. Slow on long prompts, and not what was used.',
  needs: ['forward', 'capture'],
  parameters: [],
  isUnsigned: () => true,
  cost: () => 1,

  async attribute(input, options = {}) {
    const { model, target, units } = input;
    const { layers } = model.info;
    const tokens = wholeSequence(input);
    const size = tokens.length;
    const asked = [...new Set(units.flatMap((unit) => (isHidden(unit) ? [] : unit.tokens)))];
    checkSize(asked.length, size, layers);
    const result = await model.forward(
      {
        tokens,
        capture: Array.from({ length: layers }, (_, layer) => ({
          site: { kind: 'pattern', layer },
          reduce: { kind: 'head-mean' },
        })),
      },
      options.signal === undefined ? {} : { signal: options.signal },
    );
    const patterns = Array.from({ length: layers }, (_, layer) => capturedPattern(result, layer));
    const rows = target.reads(input.tokens.length).map(({ position }) => position);
    const { network, source } = attentionNetwork(patterns, rows, size);
    const flows = new Float64Array(size);
    for (const [done, token] of asked.entries()) {
      // Lets a request to stop arrive.
      await new Promise((resolve) => setTimeout(resolve));
      if (options.signal?.aborted === true) throw cancelled();
      flows[token] = network.maximumFlow(source, token);
      options.onProgress?.(done + 1, asked.length);
    }
    return { scores: sumByShownUnit(units, flows), forwardPasses: 1, scoreUnit: 'share', warnings: [attentionWarning] };
  },
};

/** @throws E_METHOD_SIZE where the flows would take minutes */
function checkSize(asked: number, size: number, layers: number): void {
  const edges = (layers * size * (size + 1)) / 2;
  if (edges * asked <= mostEdges) return;
  const why = `${asked} flows through ${layers} layers of attention between ${size} tokens, ${edges} edges, would take too long`;
  throw methodSize(id, size, why, 'information-flow');
}

/**
 * Node l · T + t is the state of token t before layer l (l = layers: behind the last). @param patterns [layers][query, key], means over heads
 */
function attentionNetwork(
  patterns: readonly ArrayLike<number>[],
  rows: readonly number[],
  size: number,
): { readonly network: FlowNetwork; readonly source: number } {
  const source = (patterns.length + 1) * size;
  const network = new FlowNetwork(source + 1);
  for (const row of rows) network.addEdge(source, patterns.length * size + row, 1 / rows.length);
  patterns.forEach((pattern, layer) => {
    for (let query = 0; query < size; query++) {
      let total = 0;
      for (let key = 0; key <= query; key++) total += pattern[query * size + key] as number;
      for (let key = 0; key <= query; key++) {
        const share = total > 0 ? (pattern[query * size + key] as number) / total : 0;
        const capacity = share / 2 + (key === query ? 0.5 : 0);
        if (capacity > 0) network.addEdge((layer + 1) * size + query, layer * size + key, capacity);
      }
    }
  });
  return { network, source };
}
