/** One request on one tape: what is computed, in which segments, and how a run goes through them. */
import type { GradientRules, GradientTarget, TargetGradient } from '../../model/gradient.ts';
import type { Tensor } from '../../model/model.ts';
import { type LogitTarget, seedOf } from '../../model/targetSeed.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import type { TensorHeader } from '../graph/tensorHeader.ts';
import { type EnteringValues, SegmentGraph, type SegmentParts, type SegmentSpec } from './execution/segmentGraph.ts';
import { plainBackward } from './plain/plainBackward.ts';
import { plainRuleTables } from './plain/plainRuleTables.ts';
import { plainValues } from './plain/plainValues.ts';
import { nodeCotangent, scoresAsSeen, siteGradient, siteValue, type TapeSite } from './siteTensors.ts';
import { neededTensors, requiredNodes } from './tape/dependencies.ts';
import { cutIntoSegments, type TapeSegment } from './tape/segments.ts';
import type { Tape, TapeNode, TapeTensor } from './tape/tape.ts';
import { rescaleSeed } from '../../model/rescaleSeed.ts';

export interface ProgramRequest {
  readonly tape: Tape;
  readonly targets: readonly GradientTarget[];
  readonly rules: GradientRules;
  readonly at: readonly TapeSite[];
  readonly capture: readonly TapeSite[];
  /** Sites of the targets that are cotangents, by target. */
  readonly cotangentSites: ReadonlyMap<GradientTarget, TapeSite>;
  readonly logits: TapeNode;
  /** What input embeddings replace, when they are given. */
  readonly embed: TapeNode | null;
  /** Ends of all blocks but the last. */
  readonly borders: readonly TapeNode[];
}

export interface ProgramRun {
  readonly targets: readonly TargetGradient[];
  readonly captured: ReadonlyMap<string, Tensor>;
}

export interface NodeTime {
  readonly tensor: TensorHeader;
  readonly pass: 'forward' | 'backward';
  readonly milliseconds: number;
}

/** The values a run hands from segment to segment, and what it has found. */
interface RunState {
  /** Of each run: on the input, and on the reference input where there is one. */
  readonly values: readonly Map<TapeNode, Float32Array>[];
  readonly captured: readonly Map<string, Tensor>[];
  /** Cotangents of each target, collected at the nodes they enter at. */
  readonly cotangents: Map<TapeNode, Float32Array>[];
  readonly gradients: Map<string, Tensor>[];
  /** By run and target. */
  readonly targetValues: readonly number[][];
}

export class GradientProgram {
  readonly needed: ReadonlySet<TapeTensor>;
  readonly nodes: readonly TapeNode[];
  readonly #request: ProgramRequest;
  #segments: readonly TapeSegment[] = [];
  /** Kept for the next run when there is one segment only. */
  #single: SegmentGraph | null = null;

  constructor(request: ProgramRequest) {
    this.#request = request;
    const { tape, targets, at, capture, cotangentSites, logits, embed } = request;
    const ends = [
      ...(targets.some(({ kind }) => kind !== 'cotangent') ? [logits] : []),
      ...[...cotangentSites.values(), ...capture].map(({ tapeNode }) => tapeNode),
    ];
    const given = embed === null ? [] : [embed];
    this.nodes = requiredNodes(tape, ends, given);
    this.needed = neededTensors(
      this.nodes,
      at.map(({ tapeNode }) => tapeNode),
    );
  }

  get segments(): number {
    return this.#segments.length;
  }

  /**
   * Cuts the pass into about `count` segments and lays out the largest of them.
   * @returns bytes of the largest segment
   */
  plan(parts: SegmentParts, count: number): number {
    this.free();
    const { borders, embed } = this.#request;
    this.#segments = cutIntoSegments(this.nodes, borders, embed === null ? [] : [embed], count);
    if (this.#segments.length === 1) {
      this.#single = new SegmentGraph(parts, this.#spec(0, true));
      return this.#single.bytes;
    }
    let largest = 0;
    for (const index of this.#segments.keys()) {
      const graph = new SegmentGraph(parts, this.#spec(index, true));
      largest = Math.max(largest, graph.bytes);
      graph.free();
    }
    return largest;
  }

  /**
   * @param inputs of each run: embeddings [T, D], or null where the tokens' own are read
   * @throws E_CANCELLED, E_NUMERIC, E_OUT_OF_MEMORY
   */
  run(
    parts: SegmentParts,
    inputs: readonly (Float32Array | null)[],
    shouldStop: () => boolean,
    onSegment: (done: number, total: number) => void = () => undefined,
  ): ProgramRun {
    const { targets } = this.#request;
    const state = this.#newState(inputs);
    const last = this.#segments.length - 1;
    const total = 2 * last + 1;
    for (let index = 0; index < last; index++) {
      this.#inSegment(parts, index, false, (graph) => this.#forward(graph, index, state, shouldStop));
      onSegment(index + 1, total);
    }
    for (let index = last; index >= 0; index--) {
      if (index < last && !this.#flowsInto(index)) break;
      this.#inSegment(parts, index, true, (graph) => {
        this.#forward(graph, index, state, shouldStop);
        if (index === last) this.#valueTargets(parts, graph, state, shouldStop);
        targets.forEach((_, target) => this.#backward(graph, index, state, target, shouldStop));
      });
      onSegment(total - index, total);
    }
    // Nothing is computed where all that is asked for is given.
    if (last < 0) this.#valueTargets(parts, null, state, shouldStop);
    return this.#resultOf(state);
  }

  /** The same gradients from the plain backward pass: slow, in doubles, and with every value of the forward pass in memory. */
  runPlain(parts: SegmentParts, embeddings: Float32Array | null, shouldStop: () => boolean): ProgramRun {
    const { targets, at, tape, rules } = this.#request;
    const state = this.#newState([embeddings]);
    if (rules === 'rescale') throw new Error('the rules rescale have no plain form');
    const [{ nodes, entering }] = this.#segments as readonly [TapeSegment];
    const graph = new SegmentGraph(parts, { nodes, entering, kept: nodes, seeds: [], wanted: [], repeated: false });
    try {
      graph.allocate();
      this.#forward(graph, 0, state, shouldStop);
      this.#valueTargets(parts, graph, state, shouldStop);
      const value = plainValues(graph, parts.backend, parts.numbers);
      targets.forEach((_, target) => {
        const seeds = state.cotangents[target] as Map<TapeNode, Float32Array>;
        const gradients = plainBackward({
          nodes,
          needed: this.needed,
          rules: plainRuleTables[rules],
          numbers: parts.numbers,
          value,
          seeds,
        });
        for (const site of at) {
          const found = gradients.get(site.tapeNode);
          if (found !== undefined) state.gradients[target]?.set(site.site, siteGradient(site, tape, Float32Array.from(found)));
        }
      });
      return this.#resultOf(state);
    } finally {
      graph.free();
    }
  }

  /** Times every node of a pass in one segment. @param time milliseconds of the processor that running the function takes */
  profile(parts: SegmentParts, time: (run: () => void) => number): NodeTime[] {
    this.plan(parts, 1);
    const times: NodeTime[] = [];
    this.#inSegment(parts, 0, true, (graph) => {
      const seeds = this.#seeds(0).map((node) => new Float32Array(elements(node)).fill(1e-3));
      graph.forEachNode([], seeds, (tensor, pass, compute) => times.push({ tensor, pass, milliseconds: time(compute) }));
    });
    return times;
  }

  free(): void {
    this.#single?.free();
    this.#single = null;
  }

  #newState(inputs: readonly (Float32Array | null)[]): RunState {
    const { targets, capture, cotangentSites, embed } = this.#request;
    const given = [...capture, ...cotangentSites.values()].filter(({ tapeNode }) => tapeNode === embed);
    const state: RunState = {
      values: inputs.map((input) => new Map(embed === null || input === null ? [] : [[embed, input]])),
      captured: inputs.map(
        (input) => new Map(input === null ? [] : given.map((site) => [site.site, this.#givenValue(site, input)])),
      ),
      cotangents: targets.map(() => new Map<TapeNode, Float32Array>()),
      gradients: targets.map(() => new Map<string, Tensor>()),
      targetValues: inputs.map(() => targets.map(() => Number.NaN)),
    };
    this.#enterCotangents(state);
    return state;
  }

  #resultOf(state: RunState): ProgramRun {
    const { capture } = this.#request;
    return {
      // In the order of the request, and without what only a target's own value needed.
      captured: new Map(
        capture.flatMap(({ site }) => {
          const tensor = state.captured[0]?.get(site);
          return tensor === undefined ? [] : [[site, tensor] as const];
        }),
      ),
      targets: this.#request.targets.map((_, target) => {
        const [value = Number.NaN, referenceValue] = state.targetValues.map((values) => values[target]);
        return {
          value,
          ...(referenceValue === undefined ? {} : { referenceValue }),
          gradients: this.#gradientsOf(state, target),
        };
      }),
    };
  }

  #inSegment(parts: SegmentParts, index: number, backward: boolean, task: (graph: SegmentGraph) => void): void {
    const graph = this.#single ?? new SegmentGraph(parts, this.#spec(index, backward));
    try {
      graph.allocate();
      task(graph);
    } finally {
      if (graph !== this.#single) graph.free();
    }
  }

  #spec(index: number, backward: boolean): SegmentSpec {
    const { nodes, entering } = this.#segment(index);
    const { at, targets } = this.#request;
    return {
      nodes,
      entering,
      kept: this.#kept(index),
      seeds: backward ? this.#seeds(index) : [],
      wanted: backward
        ? [
            ...at.map(({ tapeNode }) => tapeNode).filter((node) => nodes.includes(node) || this.#isGiven(node)),
            ...entering,
          ].filter((node, place, all) => this.needed.has(node) && all.indexOf(node) === place)
        : [],
      repeated: backward && targets.length > 1,
    };
  }

  #segment(index: number): TapeSegment {
    return this.#segments[index] as TapeSegment;
  }

  #isGiven(node: TapeNode): boolean {
    return node === this.#request.embed;
  }

  /** What later segments, captures and targets read of a segment. */
  #kept(index: number): TapeNode[] {
    const own = new Set(this.#segment(index).nodes);
    const { capture, cotangentSites, logits } = this.#request;
    const later = this.#segments.slice(index + 1).flatMap(({ entering }) => entering);
    const sites = [...capture, ...cotangentSites.values()].map(({ tapeNode }) => tapeNode);
    return [...new Set([...later, ...sites, logits])].filter((node) => own.has(node));
  }

  /** Where cotangents enter a segment: what leaves it upwards, targets' sites, the logits. */
  #seeds(index: number): TapeNode[] {
    const own = new Set(this.#segment(index).nodes);
    const { targets, cotangentSites, logits } = this.#request;
    const later = this.#segments.slice(index + 1).flatMap(({ entering }) => entering);
    const reads = targets.some(({ kind }) => kind !== 'cotangent') ? [logits] : [];
    const sites = [...cotangentSites.values()].map(({ tapeNode }) => tapeNode);
    return [...new Set([...later, ...sites, ...reads])].filter((node) => own.has(node) && this.needed.has(node));
  }

  #flowsInto(index: number): boolean {
    return this.#seeds(index).length > 0;
  }

  #forward(graph: SegmentGraph, index: number, state: RunState, shouldStop: () => boolean): void {
    graph.runForward(this.#entering(index, state), shouldStop);
    const { capture, cotangentSites, tape } = this.#request;
    for (const node of this.#kept(index)) {
      state.values.forEach((values, run) => {
        const value = graph.value(node, run);
        values.set(node, value.raw);
        for (const site of [...capture, ...cotangentSites.values()]) {
          if (site.tapeNode !== node) continue;
          const tensor = siteValue(site, tape, value);
          state.captured[run]?.set(site.site, site.softmax === null ? tensor : scoresAsSeen(site, tape, tensor));
        }
      });
    }
  }

  /** Of a site that is an input. */
  #givenValue({ node }: TapeSite, input: Float32Array): Tensor {
    return { shape: [this.#request.tape.tokens, node.ne[0]], data: input.slice() };
  }

  #entering(index: number, state: RunState): EnteringValues[] {
    return state.values.map((values) =>
      this.#segment(index).entering.map((node) => {
        const value = values.get(node);
        if (value === undefined) throw new Error(`${node.header.name} was not handed over`);
        return value;
      }),
    );
  }

  #enterCotangents({ cotangents }: RunState): void {
    const { targets, cotangentSites, tape } = this.#request;
    targets.forEach((target, index) => {
      const site = cotangentSites.get(target);
      if (target.kind !== 'cotangent' || site === undefined) return;
      addTo(cotangents[index] as Map<TapeNode, Float32Array>, site.tapeNode, nodeCotangent(site, tape, target.values));
    });
  }

  /** Values of the targets, and the cotangents of the logits. */
  #valueTargets(parts: SegmentParts, graph: SegmentGraph | null, state: RunState, shouldStop: () => boolean): void {
    const { targets, cotangentSites, logits, tape } = this.#request;
    const [width] = logits.header.ne;
    const rowsOfRun = state.values.map((values) => (position: number) => {
      const all = values.get(logits);
      const index = tape.outputs.indexOf(position);
      if (all === undefined || index < 0) throw new Error(`the logits at ${position} were not computed`);
      return all.subarray(index * width, (index + 1) * width);
    });
    const [row, referenceRow] = rowsOfRun;
    targets.forEach((target, index) => {
      const tell = (run: number, value: number) => {
        const values = state.targetValues[run];
        if (values !== undefined) values[index] = value;
      };
      if (target.kind === 'cotangent') {
        const site = cotangentSites.get(target);
        state.captured.forEach((captured, run) => {
          const values = site === undefined ? undefined : captured.get(site.site)?.data;
          tell(run, values === undefined ? Number.NaN : innerProduct(values, target.values));
        });
      } else if (row !== undefined) {
        const { value, rows } = seedOf(target satisfies LogitTarget, row);
        tell(0, value);
        if (referenceRow !== undefined) tell(1, seedOf(target, referenceRow).value);
        const seeds = referenceRow === undefined ? rows : rescaleSeed(target, row, referenceRow);
        const cotangent = new Float32Array(width * tape.outputs.length);
        for (const [position, seed] of seeds) cotangent.set(seed, tape.outputs.indexOf(position) * width);
        addTo(state.cotangents[index] as Map<TapeNode, Float32Array>, logits, cotangent);
      }
      const isFinite = state.targetValues.every((values) => Number.isFinite(values[index]));
      if (!isFinite) throw this.#notFinite(parts, graph, state, shouldStop);
    });
  }

  #backward(graph: SegmentGraph, index: number, state: RunState, target: number, shouldStop: () => boolean): void {
    const cotangents = state.cotangents[target] as Map<TapeNode, Float32Array>;
    const seeds = this.#seeds(index);
    if (seeds.length === 0) return;
    graph.runBackward(
      seeds.map((node) => cotangents.get(node) ?? new Float32Array(elements(node))),
      shouldStop,
    );
    const { at, tape, embed } = this.#request;
    const own = new Set(this.#segment(index).nodes);
    for (const site of at) {
      const here = own.has(site.tapeNode) || (site.tapeNode === embed && this.#segment(index).entering.includes(embed));
      if (!here) continue;
      const gradient = siteGradient(site, tape, graph.gradient(site.tapeNode));
      if (!gradient.data.every(Number.isFinite)) throw numeric(`the gradient at ${site.site}`);
      state.gradients[target]?.set(site.site, gradient);
    }
    for (const node of this.#segment(index).entering) {
      if (this.needed.has(node) && node !== embed) addTo(cotangents, node, graph.gradient(node));
    }
  }

  /** In the order of the request; zeros where the target does not depend on the site. */
  #gradientsOf(state: RunState, target: number): Map<string, Tensor> {
    const { at, tape, embed } = this.#request;
    const found = state.gradients[target];
    // A cotangent at given embeddings flows through nothing.
    const given = embed === null ? undefined : state.cotangents[target]?.get(embed);
    const gradients = new Map([...this.zeroGradients()].map(([site, zeros]) => [site, found?.get(site) ?? zeros]));
    if (given !== undefined) {
      for (const site of at) if (site.tapeNode === embed) gradients.set(site.site, siteGradient(site, tape, given));
    }
    return gradients;
  }

  /** What a target that depends on nothing would give, in the order of the request. */
  zeroGradients(): Map<string, Tensor> {
    const { at, tape } = this.#request;
    return new Map(at.map((site) => [site.site, siteGradient(site, tape, new Float32Array(elements(site.tapeNode)))]));
  }

  /** The first tensor of the pass that holds a NaN or an infinity. */
  #notFinite(parts: SegmentParts, graph: SegmentGraph | null, state: RunState, shouldStop: () => boolean) {
    for (const index of this.#segments.keys()) {
      const inspected =
        graph !== null && index === this.#segments.length - 1 ? graph : new SegmentGraph(parts, this.#spec(index, false));
      try {
        inspected.allocate();
        const node = inspected.firstNonFinite(this.#entering(index, state), shouldStop);
        if (node !== null) return numeric(`the tensor ${node.header.name} (${node.operator})`);
      } finally {
        if (inspected !== graph) inspected.free();
      }
    }
    return numeric('the target');
  }
}

function elements({ header }: TapeNode): number {
  return header.ne.reduce((product, count) => product * count, 1);
}

function addTo(sums: Map<TapeNode, Float32Array>, node: TapeNode, values: Float32Array): void {
  const before = sums.get(node);
  sums.set(node, before === undefined ? values : before.map((value, index) => value + (values[index] as number)));
}

/** In doubles. Entries whose weight is 0 count nothing, infinite ones (masked scores) included. */
function innerProduct(values: Float32Array, weights: Float32Array): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) {
    const weight = weights[index] as number;
    if (weight !== 0) sum += weight * (values[index] as number);
  }
  return sum;
}
