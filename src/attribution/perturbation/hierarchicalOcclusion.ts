import type { Granularity, Unit } from '../../shared/tokens.ts';
import { buildUnits } from '../../shared/units.ts';
import type { AttributionInput, AttributionMethod } from '../method.ts';
import { shownUnits } from '../scoredUnits.ts';
import { leaveOut, occlusion } from './occlusion.ts';
import { replacementParameter } from './withoutTokens.ts';

/** From coarse to fine; the asked units come last. */
const levels: readonly Granularity[] = ['section', 'paragraph', 'sentence'];
/** Units of a group are left out in halves while there are more of them. */
const fewest = 4;

/**
 * Hierarchical occlusion: whole sections are left out first, then sentences, then parts of them, then single units; only what moved
 * the target is divided. A unit that is reached has exactly the score of exhaustive occlusion; the others score 0 and keep the effect
 * of their group as a bound, which holds unless parts of the group cancel each other. Signed, in the target's unit.
 * See docs/methods/hierarchical-occlusion.md.
 */
export const hierarchicalOcclusion: AttributionMethod = {
  id: 'hierarchical-occlusion',
  family: 'perturbation',
  label: 'Hierarchical occlusion',
  assumption:
    'A part whose absence changes nothing holds nothing that matters. Exact where it looks; wrong where two effects cancel.',
  needs: ['forward'],
  parameters: [
    { id: 'keep', label: 'Share of the effects that is divided further', default: 0.9, minimum: 0.1, maximum: 1 },
    replacementParameter,
  ],
  cost: (units, sharesBeginnings) => occlusion.cost(8 + units / 3, sharesBeginnings),

  async attribute(input, options = {}) {
    const { units, parameters } = input;
    const scored = shownUnits(units);
    const scores = new Float32Array(units.length);
    const bounds: [number, number][] = [];
    let open: readonly (readonly number[])[] = [scored];
    let forwardPasses = 0;
    for (const level of [...levels, null]) {
      const ownerOf = level === null ? null : ownersAt(input, level);
      do {
        const parts = open.flatMap((group) => divided(input, group, ownerOf));
        if (parts.length === open.length && level !== null) break;
        const outcome = await leaveOut(
          input,
          parts.map((group) => ({ tokens: group.flatMap((unit) => (units[unit] as Unit).tokens) })),
          options.signal === undefined ? {} : { signal: options.signal },
        );
        forwardPasses += outcome.forwardPasses;
        parts.forEach((group, index) => {
          if (group.length === 1) scores[group[0] as number] = outcome.effects[index] as number;
        });
        const further = mattering(parts, outcome.effects, Number(parameters['keep']));
        parts.forEach((group, index) => {
          if (group.length > 1 && !further.includes(group)) {
            for (const unit of group) bounds.push([unit, Math.abs(outcome.effects[index] as number)]);
          }
        });
        open = further.filter((group) => group.length > 1);
        options.onProgress?.(scored.length - open.flat().length, scored.length);
      } while (level === null && open.length > 0);
    }
    return { scores, forwardPasses, findings: { bounds }, warnings: [] };
  },
};

/** Which part of the text each token belongs to at one level: [tokens]. */
function ownersAt({ promptText, tokens, sections }: AttributionInput, level: Granularity): Int32Array {
  const owners = new Int32Array(tokens.length);
  buildUnits(promptText, tokens, level, { sections, templateRanges: [] }).forEach((owner, index) => {
    for (const token of owner.tokens) owners[token] = index;
  });
  return owners;
}

/** A group's parts by the owners of their first tokens; without owners halves, or single units where there are few. */
function divided({ units }: AttributionInput, group: readonly number[], ownerOf: Int32Array | null): number[][] {
  if (ownerOf === null) {
    if (group.length <= fewest) return group.map((unit) => [unit]);
    const middle = Math.ceil(group.length / 2);
    return [group.slice(0, middle), group.slice(middle)];
  }
  const parts = new Map<number, number[]>();
  for (const unit of group) {
    const owner = ownerOf[units[unit]?.tokens[0] ?? 0] ?? 0;
    parts.set(owner, [...(parts.get(owner) ?? []), unit]);
  }
  return [...parts.values()];
}

/** The groups of largest effect, until they hold the asked share of all effects. */
function mattering<Group>(groups: readonly Group[], effects: Float64Array, share: number): Group[] {
  const size = (index: number) => Math.abs(effects[index] as number);
  const order = [...groups.keys()].toSorted((a, b) => size(b) - size(a));
  const enough = share * order.reduce((sum, index) => sum + size(index), 0);
  let held = 0;
  return order
    .filter((index) => {
      const isNeeded = held < enough || share === 1;
      held += size(index);
      return isNeeded;
    })
    .map((index) => groups[index] as Group);
}
