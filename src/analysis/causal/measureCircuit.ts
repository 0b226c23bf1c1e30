/** How much of the difference between two prompts a circuit carries by itself, beside random circuits and beside the rest of the model. */
import { seededRandom, seedFor } from '../../attribution/seededRandom.ts';
import { meanInterval, meanOf } from '../faithfulness/interval.ts';
import type { ToolContext } from '../tools/tool.ts';
import { chooseEdges, type Circuit } from './chooseEdges.ts';
import type { Edge } from './edgeAttribution.ts';
import { patchedValues } from './patchedValues.ts';
import { type PromptPair, recovered } from './promptPair.ts';
import { randomCircuit } from './randomCircuit.ts';
import { onlyComponents, otherComponents, randomComponents } from './runCircuit.ts';
import { runEdges } from './runEdges.ts';

/** What circuits that chance made keep. */
export interface RandomShares {
  readonly values: readonly number[];
  readonly mean: number;
  /** 95 % bootstrap interval of the mean. */
  readonly interval: readonly [number, number];
  /** Those that keep at least as much as the circuit. */
  readonly asGood: number;
}

/** Shares of the difference between the prompts. */
export interface MeasuredCircuit {
  /** Left when the edges of the circuit alone carry the clean prompt. */
  readonly kept: number;
  /** Left when its heads and MLPs alone give what they give on the clean prompt: with all edges between them. */
  readonly keptParts: number;
  /** Left when all heads and MLPs but its own see the clean prompt. */
  readonly without: number;
  /** As many random heads and MLPs, joined by as many random edges, run as `kept`. */
  readonly random: RandomShares;
  /** The same heads and MLPs, run as `keptParts`. */
  readonly randomParts: RandomShares;
  /** Edges asked for and parts they touch. */
  readonly curve: readonly {
    readonly edges: number;
    readonly components: number;
    readonly kept: number;
    readonly keptParts: number;
  }[];
  readonly forwardPasses: number;
}

/** @param edges all that were scored @param count most edges of the circuit @throws as `runEdges` and `patchedValues` */
export async function measureCircuit(
  { model, parameters, seed, signal, progress }: ToolContext,
  pair: PromptPair,
  circuit: Circuit,
  edges: readonly Edge[],
  count: number,
): Promise<MeasuredCircuit> {
  const { info } = model;
  const { clean, target, cleanActivations, corruptActivations: corrupt } = pair;
  const { components } = circuit;
  const draws = randomComponents(components, info, Number(parameters['draws']), seedFor('random circuits', seed));
  const sizes = curveSizes(count, edges.length).map((size) => ({
    size,
    sized: chooseEdges(edges, { count: size, threshold: 0 }),
  }));
  const sets = [components, otherComponents(components, info), ...draws, ...sizes.map(({ sized }) => sized.components)];
  const total = sets.length + draws.length + sizes.length + 1;
  let done = 0;
  const onRun = () => progress('running circuits', ++done, total);
  const parts = await patchedValues(
    { model, ids: clean.ids, target, signal, onRun },
    sets.map((kept) => onlyComponents(corrupt, kept, info)),
  );
  const shares = Array.from(parts.values, (value) => recovered(pair, value));
  const run = { model, ids: clean.ids, tokens: pair.cleanTokens, target, clean: cleanActivations, corrupt, signal };
  let forwardPasses = parts.forwardPasses;
  const keptBy = async (kept: Circuit): Promise<number> => {
    const { value, forwardPasses: passes } = await runEdges(run, kept.edges);
    forwardPasses += passes;
    onRun();
    return recovered(pair, value);
  };
  const kept = await keptBy(circuit);
  const random = seededRandom(seedFor('random edges', seed));
  const byChance: number[] = [];
  for (const draw of draws) byChance.push(await keptBy(randomCircuit(edges, draw, circuit.edges.length, random)));
  const exact: number[] = [];
  for (const { size, sized } of sizes) {
    const isSame = size === count && sized.edges.length === circuit.edges.length;
    exact.push(isSame ? kept : await keptBy(sized));
  }
  const [keptParts = 0, without = 0] = shares;
  const sharesOf = (values: readonly number[], own: number): RandomShares => ({
    values,
    mean: meanOf(values),
    interval: meanInterval(values, seedFor('random interval', seed)),
    asGood: values.filter((share) => share >= own).length,
  });
  return {
    kept,
    keptParts,
    without,
    random: sharesOf(byChance, kept),
    randomParts: sharesOf(shares.slice(2, 2 + draws.length), keptParts),
    curve: sizes.map(({ size, sized }, index) => ({
      edges: size,
      components: sized.components.length,
      kept: exact[index] as number,
      keptParts: shares[2 + draws.length + index] as number,
    })),
    forwardPasses,
  };
}

/** Halves and doubles of the asked number. */
function curveSizes(count: number, most: number): number[] {
  const sizes = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].map((factor) => Math.round(count * factor));
  return [...new Set(sizes.filter((size) => size >= 1 && size <= most))];
}
