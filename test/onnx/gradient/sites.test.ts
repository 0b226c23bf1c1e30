/**
 * Every recognised site of every exact dialect: the gradient of one logit, along a random direction, against central differences of a
 * forward pass in which the site was moved. Nothing of the backward pass has a hand in that.
 */
import { expect, test } from 'vitest';
import { differentiate } from '../../../src/onnx/gradient/differentiate.ts';
import { elementTypes, type OnnxGraph } from '../../../src/onnx/graph/graph.ts';
import { GraphBuilder } from '../../../src/onnx/graph/graphBuilder.ts';
import { prepareGraph } from '../../../src/onnx/lowering/prepareGraph.ts';
import { writeGraph } from '../../../src/onnx/proto/writeGraph.ts';
import { feeds } from '../../../src/onnx/runtime/feeds.ts';
import { createSession, type OnnxSession } from '../../../src/onnx/runtime/session.ts';
import type { TensorValue } from '../../../src/onnx/runtime/tensorValue.ts';
import { recognise, type Structure } from '../../../src/onnx/structure/recognise.ts';
import { dialects, modelFile, onnxGolden } from '../fixture.ts';
import { randomNumbers } from '../oneNode.ts';

const threads = 1;
const exact = dialects.filter((dialect) => dialect.exact <= 0.01).map(({ name }) => name);

test.each(exact)('%s', async (name) => {
  const golden = onnxGolden(name);
  const { graph, probe } = await prepareGraph(modelFile(name), { precision: 'exact', threads });
  const structure = recognise(graph, probe);
  const sites = sitesOf(structure);
  expect(sites.length).toBeGreaterThan(12);
  const embedding = structure.embedding!;
  const output = structure.output!;

  const builder = new GraphBuilder(graph, 'gradient');
  const gradients = differentiate(graph, probe, builder, {
    seeds: new Map([[output, 'seed']]),
    roots: [embedding],
    wanted: sites,
  });
  expect(sites.filter((site) => !gradients.has(site))).toEqual([]);
  const { inputs } = graph;
  const moved = withShifts(graph, sites);
  graph.nodes.push(...builder.nodes);
  graph.inputs = [...graph.inputs, { name: 'seed', type: elementTypes.float32, dims: null }];

  const ids = golden.ids.slice(0, 6);
  const given = feeds(inputs, ids);
  const width = probe.facts(output)!.dims[0].at(-1)!;
  const rows = golden.kind === 'lm' ? ids.length : 1;
  const seed = new Float32Array(rows * width);
  seed[(rows - 1) * width + golden.targetToken] = 1;
  const seedValue = { type: elementTypes.float32, dims: golden.kind === 'lm' ? [1, rows, width] : [1, width], data: seed };
  const backward = await open(graph, [...gradients.values()]);
  const results = await backward.run({ ...given, seed: seedValue });
  await backward.release();

  const shifts = Object.fromEntries(sites.map((site) => [shiftOf(site), zeros(results[gradients.get(site)!]!)]));
  const forward = await open(moved, [output]);
  const random = randomNumbers(5);
  for (const site of sites) {
    const gradient = results[gradients.get(site)!]!.data as Float32Array;
    const direction = Float32Array.from(gradient, random);
    // As far as a typical gradient of this site takes the logit by about a tenth, so that rounding is small beside it.
    const step = 2 ** Math.round(Math.log2(0.05 / Math.max(1e-3, norm(gradient)))) / 4;
    const logit = async (by: number) => {
      const shift = { ...shifts[shiftOf(site)]!, data: direction.map((value) => value * by * step) };
      return Number(
        (await forward.run({ ...given, ...shifts, [shiftOf(site)]: shift }))[output]!.data.at(
          (rows - 1) * width + golden.targetToken,
        ),
      );
    };
    const slope = (8 * ((await logit(1)) - (await logit(-1))) - ((await logit(2)) - (await logit(-2)))) / (12 * step);
    const expected = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
    expect(Math.abs(slope - expected) / norm(gradient), `${site}: ${expected} ${slope}`).toBeLessThan(2e-3);
  }
  await forward.release();
});

function sitesOf({ embedding, finalNorm, layers }: Structure): string[] {
  const names = layers.flatMap((layer) => [
    layer.probabilities,
    layer.scores,
    layer.q?.tensor,
    layer.k?.tensor,
    layer.v?.tensor,
    layer.z?.tensor,
    layer.residPre,
    layer.attnOut,
    layer.residMid,
    layer.mlpPost,
    layer.mlpOut,
    layer.residPost,
  ]);
  return [...new Set([embedding, ...names, finalNorm].filter((name) => name !== null && name !== undefined))];
}

const shiftOf = (site: string) => `shift ${site}`;

/** The graph with an input for each site that is added to it before anything reads it. */
function withShifts(graph: OnnxGraph, sites: readonly string[]): OnnxGraph {
  const known = new Set(sites);
  const nodes = graph.nodes.flatMap((node) => {
    const added = node.outputs
      .filter((name) => known.has(name))
      .map((site) => ({
        op: 'Add',
        domain: '',
        name: '',
        inputs: [site, shiftOf(site)],
        outputs: [`moved ${site}`],
        attributes: new Map(),
      }));
    return [{ ...node, inputs: node.inputs.map((name) => (known.has(name) ? `moved ${name}` : name)) }, ...added];
  });
  const inputs = sites.map((site) => ({ name: shiftOf(site), type: elementTypes.float32, dims: null }));
  return { ...graph, nodes, inputs: [...graph.inputs, ...inputs] };
}

function open(graph: OnnxGraph, outputs: readonly string[]): Promise<OnnxSession> {
  return createSession(writeGraph(graph, { outputs }), graph.folder, { threads });
}

const zeros = ({ type, dims, data }: TensorValue): TensorValue => ({ type, dims, data: new Float32Array(data.length) });
const norm = (values: Float32Array) => Math.hypot(...values);
