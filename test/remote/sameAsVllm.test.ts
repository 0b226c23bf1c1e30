/**
 * Everything a model says through the documented form of vLLM equals what the same GGUF file says when it is opened directly, on
 * vocabularies of both spellings; what cannot be had exactly is refused. The other end is no vLLM (`vllmServerOn.ts`).
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findMethod, resolveParameters } from '../../src/attribution/registry.ts';
import type { Model } from '../../src/model/model.ts';
import { openRemoteModel } from '../../src/remote/openRemoteModel.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import { inputFor } from '../attribution/attributionInput.ts';
import { testModels } from '../setup/testModels.ts';
import { serveJson } from './serveJson.ts';
import { startVllmServer, type VllmServer } from './vllmServerOn.ts';

/** Nats. */
const tolerance = 1e-4;
const open = (address: string) => openRemoteModel(address, { contextLength: 0 });

function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(found.length).toBe(wanted.length);
  for (const [index, value] of Array.from(wanted).entries()) {
    const difference = Math.abs((found[index] ?? Number.NaN) - value);
    expect(difference, `number ${index}: ${found[index]} and ${value}`).toBeLessThan(tolerance);
  }
}

describe.each([
  ['SentencePiece', testModels.tinyLlama],
  ['byte-level', testModels.tinyQwen2],
])('a vocabulary of %s', (_name, file) => {
  let server: VllmServer;
  let remote: Model;
  let direct: Model;
  beforeAll(async () => {
    server = await startVllmServer(file);
    remote = await open(server.address);
    ({ direct } = server);
  });
  afterAll(() => server.close());

  test('what is known of the model', () => {
    const { vocabulary, contextLength } = direct.info;
    expect(remote.info).toMatchObject({
      format: 'remote',
      vocabulary,
      contextLength: contextLength - 2,
      can: { gradient: false },
    });
  });

  test.each(['', 'The cat sat', '  two  spaces ', 'naïve café', '日本語 and 🙂🙃', 'tab\tand\r\nlines\n', '<b>[x]</b>'])(
    'tokens of %j',
    async (text) => {
      for (const options of [{}, { addSpecial: false }, { parseSpecial: false }]) {
        expect(await remote.tokenizer.encode(text, options)).toEqual(await direct.tokenizer.encode(text, options));
      }
    },
  );

  test('control tokens are known; text that spells one cannot be read as plain text', async () => {
    const ends = (await direct.tokenizer.special()).endOfGeneration;
    const [spelled = ''] = await direct.tokenizer.pieces(ends);
    const text = `The cat ${spelled}`;
    const found = await remote.tokenizer.encode(text);
    expect(found).toEqual(await direct.tokenizer.encode(text));
    expect(found.tokens.some(({ special }) => special)).toBe(true);
    expect((await remote.tokenizer.special()).endOfGeneration).toEqual(ends);
    await expect(remote.tokenizer.encode(text, { parseSpecial: false })).rejects.toMatchObject({ code: 'E_SERVER_PLAIN_TEXT' });
  });

  test('listed tokens have ranks, others are asked for by themselves', async () => {
    const { tokens } = await direct.tokenizer.encode('The cat sat');
    const ids = Int32Array.from(tokens, ({ id }) => id);
    const read = [{ position: ids.length - 1, ids: [7, 60, 100], top: 3 }];
    const [found] = (await remote.forward({ tokens: ids, read })).read;
    const [wanted] = (await direct.forward({ tokens: ids, read })).read;
    if (found === undefined || wanted === undefined) throw new Error('no rows');
    expect(found.top.map(({ id }) => id)).toEqual(wanted.top.map(({ id }) => id));
    expectClose(
      found.logits,
      wanted.logits.map((logit) => logit - wanted.logSumExp),
    );
    await expect(remote.forward({ tokens: ids, logits: 'last' })).rejects.toMatchObject({ code: 'E_METHOD_UNSUPPORTED' });
  });

  const targets: [name: string, spec: TargetSpec, score: ScoreKind | undefined][] = [
    ['next', { kind: 'next' }, undefined],
    ['a probability', { kind: 'next' }, 'prob'],
    ['a text', { kind: 'text', text: ' on the' }, undefined],
    ['a contrast', { kind: 'contrast', a: 'cat', b: 'mat' }, undefined],
    ['an unlikely token', { kind: 'id', id: 77 }, 'logprob'],
  ];
  test.each(targets)('target: %s', async (_target, spec, score) => {
    const parts = { text: 'The cat sat', spec, ...(score === undefined ? {} : { score }) };
    expectClose([(await inputFor(remote, parts)).value], [(await inputFor(direct, parts)).value]);
  });

  test.each([
    ['occlusion', {}],
    ['lime', { samples: 24 }],
  ])('scores of %s', async (id, given) => {
    const method = findMethod(id, remote);
    const parts = { text: 'The cat sat on the mat', spec: { kind: 'response' } as const, response: [9, 12] };
    const parameters = resolveParameters(method, given);
    const wanted = await method.attribute(await inputFor(direct, { ...parts, parameters }));
    const found = await method.attribute(await inputFor(remote, { ...parts, parameters }));
    expectClose(found.scores, wanted.scores);
    expect(wanted.scores.some((score) => Math.abs(score) > 10 * tolerance)).toBe(true);
  });

  test('greedy generation, with characters of several tokens', async () => {
    for (const first of [9, 12, 30, 41]) {
      const request = { tokens: Int32Array.of(1, first), maxTokens: 8, temperature: 0, seed: 0, top: 3 };
      const found = await remote.generate(request);
      const wanted = await direct.generate(request);
      expect(found.tokens.map(({ id }) => id)).toEqual(wanted.tokens.map(({ id }) => id));
      expect(found.finish).toBe(wanted.finish);
      // What the last token leaves unfinished is left out.
      expect(found.text).toBe(wanted.text.replace(/\ufffd+$/, ''));
      expectClose(
        found.tokens.map(({ logprob }) => logprob),
        wanted.tokens.map(({ logprob }) => logprob),
      );
    }
  });
});

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function start(...given: Parameters<typeof startVllmServer>): Promise<VllmServer> {
  const server = await startVllmServer(...given);
  closing.push(() => server.close());
  return server;
}

test('a server that lists all tokens gives whole rows, and samples as the file does', async () => {
  const { address, direct } = await start(testModels.tinyLlama, { maxLogprobs: -1 });
  const remote = await open(address);
  const tokens = Int32Array.of(1, 9, 12);
  const wanted = await direct.forward({ tokens, logits: 'last', read: [{ position: 2, ids: [] }] });
  const found = await remote.forward({ tokens, logits: 'last' });
  expectClose(
    found.logits?.values ?? [],
    (wanted.logits?.values ?? new Float32Array(0)).map((logit) => logit - (wanted.read[0]?.logSumExp ?? 0)),
  );
  const request = { tokens, maxTokens: 5, temperature: 1, seed: 3, top: 2 };
  expect((await remote.generate(request)).tokens.map(({ id }) => id)).toEqual(
    (await direct.generate(request)).tokens.map(({ id }) => id),
  );
});

test('a conversation is rendered through the tokens that the server tells', async () => {
  const { address, direct } = await start(testModels.bundled);
  const remote = await open(address);
  expect(remote.info.can.chat).toBe(true);
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Wie heißt die Hauptstadt? 🙂' },
  ] as const;
  for (const addGenerationPrompt of [true, false]) {
    expect(await remote.tokenizer.renderChat(messages, { addGenerationPrompt })).toBe(
      await direct.tokenizer.renderChat(messages, { addGenerationPrompt }),
    );
  }
});

describe('refused, with what is missing', () => {
  test.each([
    ['tokenize', 'E_SERVER_UNSUPPORTED', /no \/tokenize/],
    ['spelling', 'E_SERVER_UNSUPPORTED', /return_token_strs/],
    ['prompt_logprobs', 'E_SERVER_PROBABILITIES', /prompt_logprobs/],
  ] as const)('no %s', async (without, code, why) => {
    const { address } = await start(testModels.tinyLlama, { without });
    await expect(open(address)).rejects.toMatchObject({ code, message: expect.stringMatching(why) as string });
  });
  test('numbers of another distribution', async () => {
    const { address } = await start(testModels.tinyLlama, { temperature: 2 });
    await expect(open(address)).rejects.toMatchObject({ code: 'E_SERVER_PROBABILITIES' });
  });
  test('a token that is not kept to', async () => {
    const { address } = await start(testModels.tinyLlama, { without: 'allowed_token_ids' });
    const model = await open(address);
    await expect(model.tokenizer.special()).rejects.toMatchObject({ code: 'E_SERVER_PROBABILITIES' });
  });
  test('a server of the OpenAI form that has nothing beside it', async () => {
    const server = await serveJson(0, ({ path }) =>
      Promise.resolve(path === '/v1/models' ? [200, { object: 'list', data: [{ id: 'm', object: 'model' }] }] : [404, {}]),
    );
    closing.push(() => server.close());
    await expect(open(server.address)).rejects.toMatchObject({
      code: 'E_SERVER_UNSUPPORTED',
      message: expect.stringContaining('/tokenize') as string,
    });
  });
  test.each([
    ['a number that is none', { 'token_id:5': 'x' }],
    ['more than certain', { 'token_id:5': 3 }],
    ['a token without a number', { five: -1 }],
  ])('%s', async (_name, listed) => {
    const real = await start(testModels.tinyLlama);
    const server = await serveJson(0, async ({ path, body }) => {
      const init = Object.keys(body).length === 0 ? {} : { method: 'POST', body: JSON.stringify(body) };
      const answer = await fetch(`${real.address}${path}`, init);
      const whole = (await answer.json()) as { choices?: { logprobs: { top_logprobs: object[] } | null }[] };
      for (const { logprobs } of whole.choices ?? []) if (logprobs !== null) logprobs.top_logprobs = [listed];
      return [answer.status, whole] as const;
    });
    closing.push(() => server.close());
    await expect(open(server.address)).rejects.toMatchObject({ code: 'E_SERVER_ANSWER' });
  });
});
