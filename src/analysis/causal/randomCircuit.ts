import { chooseEdges, type Circuit } from './chooseEdges.ts';
import { type Component, componentLabel } from './components.ts';
import type { Edge } from './edgeAttribution.ts';

/**
 * A circuit among these heads and MLPs that chance joins: grown backwards from the logits as any circuit is (`chooseEdges`), by random
 * numbers in place of scores, until at least `count` edges lie on a path from the prompt to the answer, or all between these parts do. So
 * it has as many edges as the circuit it is compared with, or, by what the last edge connects, a few more.
 * @param edges of the whole model
 */
export function randomCircuit(edges: readonly Edge[], parts: readonly Component[], count: number, random: () => number): Circuit {
  const ends = new Set(['embedding', 'logits', ...parts.map(componentLabel)]);
  const among = edges
    .filter(({ from, to }) => ends.has(componentLabel(from)) && ends.has(componentLabel(to)))
    .map(({ from, to }) => ({ from, to, score: random() }));
  for (let wanted = count; ; ) {
    const circuit = chooseEdges(among, { count: wanted, threshold: 0 });
    if (circuit.edges.length >= count || wanted >= among.length) return circuit;
    wanted = Math.min(among.length, wanted + count - circuit.edges.length);
  }
}
