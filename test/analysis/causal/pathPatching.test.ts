/** Path patching against the same paths worked out by hand: changes added to the stream, without freezing anything. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { layerActivations } from '../../../src/analysis/causal/activationRows.ts';
import { componentSites } from '../../../src/analysis/causal/componentPatch.ts';
import { type Component, readComponent } from '../../../src/analysis/causal/components.ts';
import { pathPatching, type PathRequest, type ReceiverInput } from '../../../src/analysis/causal/pathPatching.ts';
import { resolveTarget } from '../../../src/attribution/target.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { Model, Patch } from '../../../src/model/model.ts';
import type { Site } from '../../../src/model/sites.ts';

const { signal } = new AbortController();
const tokens = Int32Array.from([3, 1, 4, 1, 5, 9]);
const otherTokens = Int32Array.from([3, 1, 7, 1, 5, 9]);
const last = tokens.length - 1;

let model: Model;
let request: PathRequest;
beforeAll(async () => {
  model = await openLlamaModel('test/fixtures/golden/tiny_llama/model.gguf', { threads: 1, contextLength: 64 });
  const target = await resolveTarget({ kind: 'id', id: 7 }, 'logit', { model, next: 0, response: [] });
  request = {
    model,
    ids: tokens,
    tokens,
    target,
    base: (await layerActivations(model, tokens, componentSites, signal)).activations,
    source: (await layerActivations(model, otherTokens, componentSites, signal)).activations,
    receiver: named('logits'),
    input: 'all',
    mlps: 'frozen',
    signal,
  };
});
afterAll(() => model.dispose());

function named(text: string): Component {
  return readComponent(text, ['embed', 'head', 'attn', 'mlp', 'logits'], model.info, 'path-patch', 'sender');
}

async function capture(ids: Int32Array, site: Site, patches: readonly Patch[] = []): Promise<Float32Array> {
  const read = [{ position: last, ids: [] }];
  const { captured } = await model.forward({ tokens: ids, read, patches, capture: [{ site }] });
  return (captured.get(site.layer === undefined ? site.kind : `${site.kind}.${site.layer}`) as { data: Float32Array }).data;
}

/** [T, D] what the sender writes on the other prompt, less what it writes on this one. */
async function message({ kind, layer, head }: Component): Promise<Float32Array> {
  const site: Site = kind === 'embed' ? { kind } : { kind: kind === 'mlp' ? 'mlp_out' : 'attn_out', layer };
  const own = await capture(tokens, site);
  if (kind !== 'head') return (await capture(otherTokens, site)).map((value, at) => value - (own[at] as number));
  const { heads, headSize } = model.info;
  const z = (await capture(otherTokens, { kind: 'z', layer })).filter((_, at) => Math.floor(at / headSize) % heads === head);
  const patch: Patch = { site: { kind: 'z', layer }, heads: [head], operation: { kind: 'overwrite', values: z } };
  return (await capture(tokens, site, [patch])).map((value, at) => value - (own[at] as number));
}

async function valueWith(patches: readonly Patch[]): Promise<number> {
  const { read } = await model.forward({ tokens, read: [{ position: last, ids: [7] }], patches });
  return read[0]?.logits[0] as number;
}

const logitPaths = ['embed', 'head 0.1', 'attn 0', 'mlp 0', 'head 1.0', 'mlp 1'];
test.each(logitPaths)('%s to the logits: the frozen stream plus its message, unembedded', async (sender) => {
  const stream = await capture(tokens, { kind: 'resid_post', layer: model.info.layers - 1 });
  const sent = await message(named(sender));
  const rows = stream.map((value, at) => value + (sent[at] as number)).slice(last * model.info.hidden);
  const [expected] = await model.unembed({ rows, read: [{ ids: [7] }] });
  const { values } = await pathPatching(request, [named(sender)]);
  expect(values[0]).toBeCloseTo(expected?.logits[0] as number, 4);
});

const paths: readonly (readonly [string, string, ReceiverInput])[] = [
  ['head 0.2', 'mlp 1', 'all'],
  ['embed', 'head 1.0', 'all'],
  ['mlp 0', 'mlp 1', 'all'],
  ['attn 1', 'mlp 1', 'all'],
  ['attn 0', 'attn 1', 'all'],
  ['head 0.1', 'head 1.0', 'all'],
  ['mlp 0', 'head 1.1', 'q'],
  ['mlp 0', 'head 1.1', 'k'],
  ['mlp 0', 'head 1.1', 'v'],
];
test.each(paths)('%s to %s (%s): its message added to what the receiver reads', async (from, to, input) => {
  const receiver = named(to);
  const { layer, kind, head } = receiver;
  const entrance: Site = { kind: kind === 'mlp' ? 'resid_mid' : 'resid_pre', layer };
  const sent = await message(named(from));
  const heard = (await capture(tokens, entrance)).map((value, at) => value + (sent[at] as number));
  const changed: Patch = { site: entrance, operation: { kind: 'overwrite', values: heard } };
  const site: Site = { kind: kind === 'mlp' ? 'mlp_out' : kind === 'attn' ? 'attn_out' : 'z', layer };
  let values: Float32Array;
  if (input === 'all') values = await capture(tokens, site, [changed]);
  else {
    const projection: Site = { kind: input, layer };
    const projected = await capture(tokens, projection, [changed]);
    values = await capture(tokens, site, [{ site: projection, operation: { kind: 'overwrite', values: projected } }]);
  }
  const { heads, headSize } = model.info;
  const own = kind === 'head' ? values.filter((_, at) => Math.floor(at / headSize) % heads === head) : values;
  const place = kind === 'head' ? { heads: [head] } : {};
  const expected = await valueWith([{ site, ...place, operation: { kind: 'overwrite', values: own } }]);
  const found = await pathPatching({ ...request, receiver, input }, [named(from)]);
  const unchanged = await valueWith([]);
  expect(found.values[0]).toBeCloseTo(expected, 4);
  expect(Math.abs((found.values[0] as number) - unchanged)).toBeGreaterThan(1e-5);
});

test('one input of a head is not all of them', async () => {
  const receiver = named('head 1.1');
  const all = await pathPatching({ ...request, receiver }, [named('mlp 0')]);
  const single = await pathPatching({ ...request, receiver, input: 'v' }, [named('mlp 0')]);
  expect(all.values[0]).not.toBe(single.values[0]);
});

test('MLPs that are free pass the message on', async () => {
  const frozen = await pathPatching(request, [named('attn 0')]);
  const free = await pathPatching({ ...request, mlps: 'free' }, [named('attn 0')]);
  expect(Math.abs((frozen.values[0] as number) - (free.values[0] as number))).toBeGreaterThan(1e-5);
});
