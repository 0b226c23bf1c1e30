/** Everything a model on a server says equals what the same GGUF file says when it is opened directly. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attributionMethods, resolveParameters } from '../../src/attribution/registry.ts';
import type { Model } from '../../src/model/model.ts';
import { openRemoteModel } from '../../src/remote/openRemoteModel.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import { inputFor } from '../attribution/attributionInput.ts';
import { testModels } from '../setup/testModels.ts';
import { startLlamaServer, type RunningServer } from './llamaServerOn.ts';

let server: RunningServer;
let remote: Model;
beforeAll(async () => {
  server = await startLlamaServer(testModels.tinyLlama);
  remote = await openRemoteModel(server.address, { contextLength: 0 });
});
afterAll(() => server.close());

/** Nats. */
const tolerance = 1e-4;
const text = 'The cat sat on the mat';

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length);
  for (const [index, value] of Array.from(wanted).entries()) {
    expect(Math.abs((found[index] ?? Number.NaN) - value), `number ${index}: ${found[index]} and ${value}`).toBeLessThan(
      tolerance,
    );
  }
}

describe('every method that needs forward passes alone', () => {
  const methods = attributionMethods.filter(({ needs }) => needs.every((need) => need === 'forward') && needs.length > 0);
  const smaller: Record<string, Record<string, number>> = { lime: { samples: 40 }, 'kernel-shap': { samples: 40 } };

  test('are these, among others', () => {
    const ids = methods.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining([
        'occlusion',
        'lime',
        'kernel-shap',
        'exact-shapley',
        'permutation-shapley',
        'permutation-importance',
      ]),
    );
  });

  test.each(methods.map((method) => [method.id, method] as const))('%s', async (_id, method) => {
    const known = method.parameters.map(({ id }) => id);
    const given = Object.fromEntries(Object.entries(smaller[method.id] ?? {}).filter(([id]) => known.includes(id)));
    const parts = {
      text: method.id === 'exact-shapley' ? 'The cat' : text,
      spec: { kind: 'response' } as const,
      response: [9, 12],
      parameters: resolveParameters(method, given),
    };
    const wanted = await method.attribute(await inputFor(server.direct, parts));
    const found = await method.attribute(await inputFor(remote, parts));
    expectClose(found.scores, wanted.scores);
    expect(wanted.scores.some((score) => Math.abs(score) > 10 * tolerance)).toBe(true);
  });
});

describe('targets', () => {
  const cases: [name: string, spec: TargetSpec, score: ScoreKind | undefined][] = [
    ['next', { kind: 'next' }, undefined],
    ['a probability', { kind: 'next' }, 'prob'],
    ['a text', { kind: 'text', text: ' on the' }, undefined],
    ['a contrast, whose logits are one number apart from log-probabilities', { kind: 'contrast', a: 'cat', b: 'mat' }, undefined],
    ['an unlikely token', { kind: 'id', id: 77 }, 'logprob'],
    ['entropy', { kind: 'entropy' }, undefined],
    ['divergence', { kind: 'kl', prompt: 'A dog' }, undefined],
  ];
  test.each(cases)('%s', async (_name, spec, score) => {
    const parts = { text, spec, ...(score === undefined ? {} : { score }) };
    expectClose([(await inputFor(remote, parts)).value], [(await inputFor(server.direct, parts)).value]);
  });
});

describe('tokens', () => {
  const texts = [
    '',
    text,
    '  two  spaces ',
    'naïve café',
    '日本語 and 🙂🙃',
    'tab\tand\r\nlines\n',
    '</s> and <s> and <unk>',
    '<b>[x]</b>',
  ];
  test.each(texts)('%j', async (each) => {
    for (const options of [{}, { addSpecial: false }, { parseSpecial: false }]) {
      expect(await remote.tokenizer.encode(each, options)).toEqual(await server.direct.tokenizer.encode(each, options));
    }
  });
  test('special tokens, pieces and joined texts', async () => {
    expect(await remote.tokenizer.special()).toEqual(await server.direct.tokenizer.special());
    const ids = [1, 2, 9, 50, 70];
    expect(await remote.tokenizer.pieces(ids)).toEqual(await server.direct.tokenizer.pieces(ids));
    expect(await remote.tokenizer.decode(ids)).toBe(await server.direct.tokenizer.decode(ids));
  });
  test('a lone surrogate is refused', async () => {
    await expect(remote.tokenizer.encode('a\ud800')).rejects.toMatchObject({ code: 'E_PROMPT_INVALID' });
  });
});

describe('rows', () => {
  test('whole rows are log-probabilities: logits less their logSumExp', async () => {
    const tokens = Int32Array.of(1, 9, 12, 40);
    const found = await remote.forward({ tokens, logits: [1, 3] });
    const wanted = await server.direct.forward({
      tokens,
      logits: [1, 3],
      read: [1, 3].map((position) => ({ position, ids: [] })),
    });
    const { vocabulary } = server.direct.info;
    const logprobs = wanted.logits?.values.map(
      (logit, index) => logit - (wanted.read[Math.floor(index / vocabulary)]?.logSumExp ?? 0),
    );
    expectClose(found.logits?.values ?? [], logprobs ?? []);
  });
  test('listed tokens have ranks, others are asked for by themselves and have none', async () => {
    const tokens = Int32Array.of(1, 9, 12);
    const read = [{ position: 2, ids: [7, 60, 100], top: 3 }];
    const [found] = (await remote.forward({ tokens, read })).read;
    const [wanted] = (await server.direct.forward({ tokens, read })).read;
    if (found === undefined || wanted === undefined) throw new Error('no rows');
    expect(found.top.map(({ id }) => id)).toEqual(wanted.top.map(({ id }) => id));
    expectClose(
      found.logits,
      wanted.logits.map((logit) => logit - wanted.logSumExp),
    );
    expect([...found.ranks]).toEqual([...wanted.ranks].map((rank) => (rank <= 3 ? rank : 0)));
    expect(found.logSumExp).toBe(0);
  });
  test('variants that begin alike are asked for in an order that keeps the beginning', async () => {
    server.requests.length = 0;
    const variants = [
      [1, 9, 12],
      [1, 40, 12],
      [1, 9, 13],
      [1, 9],
    ].map((tokens) => ({
      tokens: Int32Array.from(tokens),
      read: [{ position: tokens.length - 1, ids: [5] }],
    }));
    const told: number[] = [];
    await remote.forwardVariants({ variants }, { onResult: (index) => told.push(index) });
    expect(server.requests.map(({ body }) => (body['prompt'] as number[]).join(' '))).toEqual([
      '1 9',
      '1 9 12',
      '1 9 13',
      '1 40 12',
    ]);
    expect(told).toEqual([3, 0, 2, 1]);
  });
});

describe('generation', () => {
  test.each([
    ['greedy', 0],
    ['sampled with a seed', 1],
  ])('%s', async (_name, temperature) => {
    const request = { tokens: Int32Array.of(1, 9, 12), maxTokens: 8, temperature, seed: 3, top: 3 };
    const found = await remote.generate(request);
    const wanted = await server.direct.generate(request);
    expect({ ...found, tokens: found.tokens.map(({ id, text: piece }) => [id, piece]) }).toEqual({
      ...wanted,
      tokens: wanted.tokens.map(({ id, text: piece }) => [id, piece]),
    });
    for (const [index, token] of wanted.tokens.entries()) {
      const other = found.tokens[index];
      expectClose([other?.logprob ?? Number.NaN], [token.logprob]);
      expect(other?.alternatives.map(({ id, text: piece }) => [id, piece])).toEqual(
        token.alternatives.map(({ id, text: piece }) => [id, piece]),
      );
    }
  });
});

test('an older server, whose bias changes its numbers, is asked for the whole vocabulary instead', async () => {
  const older = await startLlamaServer(testModels.tinyLlama, { biased: true, withoutModels: true });
  try {
    const model = await openRemoteModel(older.address, { contextLength: 0 });
    expect(model.info.vocabulary).toBe(server.direct.info.vocabulary);
    const read = [{ position: 1, ids: [77, 4] }];
    let compared = 0;
    for (let id = 30; compared < 3; id++) {
      const tokens = Int32Array.of(1, id);
      const [wanted] = (await server.direct.forward({ tokens, read: [{ position: 1, ids: [77, 4], top: 1 }] })).read;
      if (wanted === undefined) throw new Error('no row');
      const [best = ''] = await server.direct.tokenizer.pieces([wanted.top[0]?.id ?? 0]);
      if (best.includes('\ufffd')) {
        // Such a server cannot be asked for the row, and is not believed when something else is forced.
        await expect(model.forward({ tokens, read })).rejects.toMatchObject({ code: 'E_SERVER_PROBABILITIES' });
      } else {
        const [found] = (await model.forward({ tokens, read })).read;
        expectClose(
          found?.logits ?? [],
          wanted.logits.map((logit) => logit - wanted.logSumExp),
        );
        compared++;
      }
    }
  } finally {
    await older.close();
  }
});

test('a server that lists few tokens: whole rows are refused, and no number is made up', async () => {
  const short = await startLlamaServer(testModels.tinyLlama, { biased: true, mostListed: 5 });
  try {
    const model = await openRemoteModel(short.address, { contextLength: 0 });
    const tokens = Int32Array.of(1, 9);
    await expect(model.forward({ tokens, logits: 'last' })).rejects.toMatchObject({ code: 'E_METHOD_UNSUPPORTED' });
    await expect(model.forward({ tokens, read: [{ position: 1, ids: [...Array(20).keys()] }] })).rejects.toMatchObject({
      code: 'E_SERVER_PROBABILITIES',
    });
  } finally {
    await short.close();
  }
});
