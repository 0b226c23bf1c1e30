/** The command line on a model on a server: verbs, targets, the key, and what is refused. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../cli/cliProcess.ts';
import { testModels } from '../setup/testModels.ts';
import { startLlamaServer, type RunningServer } from './llamaServerOn.ts';

const apiKey = 'secret-key';
let server: RunningServer;
beforeAll(async () => {
  server = await startLlamaServer(testModels.tinyLlama, { apiKey });
});
afterAll(() => server.close());

async function run(...argv: readonly string[]) {
  const options = { stdin: 'The cat sat', environment: { PROMPT_LOUPE_API_KEY: apiKey } };
  const [here, there] = [testModels.tinyLlama, server.address];
  const direct = await runCli([...argv, '--model', here, '--threads', '1', '--json'], options);
  const remote = await runCli([...argv, '--model', there, '--json'], options);
  expect(remote.stderr + direct.stderr).not.toContain(apiKey);
  expect(remote.stdout).not.toContain(apiKey);
  return { direct, remote };
}

test('explain: the same scores as of the file', async () => {
  const { direct, remote } = await run('explain', '-', '--method', 'occlusion', '--max-tokens', '2');
  const [wanted, found] = [direct, remote].map(({ stdout }) => JSON.parse(stdout) as { scores: number[]; model: object });
  expect(found?.scores.map((score) => score.toFixed(3))).toEqual(wanted?.scores.map((score) => score.toFixed(3)));
  expect(found?.model).toMatchObject({ format: 'remote', file: server.address, sha256: '' });
});

test('explain without a method: LIME stands in, and says so', async () => {
  const { remote } = await run('explain', '-', '--max-tokens', '1');
  const { method, warnings } = JSON.parse(remote.stdout) as { method: { id: string }; warnings: { code: string }[] };
  expect(method.id).toBe('lime');
  expect(warnings.map(({ code }) => code)).toContain('W_METHOD_FALLBACK');
});

test('a logit is explained as a log-probability', async () => {
  const { remote } = await run('explain', '-', '--method', 'occlusion', '--target', 'id:50', '--max-tokens', '1');
  const { target, warnings } = JSON.parse(remote.stdout) as {
    target: { unit: string; value: number };
    warnings: { code: string }[];
  };
  expect(target.unit).toBe('nat');
  expect(target.value).toBeLessThan(0);
  expect(warnings.map(({ code }) => code)).toContain('W_SERVER_LOGITS');
});

test.each([
  ['self-explanation', ['--template', 'words: {prompt}', '--length', '4']],
  ['counterfactual', ['--budget', '10', '--max-edits', '1']],
])(
  '%s: a logit that is asked for is a log-probability, with the same warning; a contrast needs none',
  async (tool, parameters) => {
    const say = async (model: string, target: string) => {
      const options = { stdin: 'The cat sat', environment: { PROMPT_LOUPE_API_KEY: apiKey } };
      const argv = [tool, '-', ...parameters, '--target', target, '--model', model, '--threads', '1'];
      const { code, stdout } = await runCli(argv, options);
      expect(code).toBe(0);
      return stdout;
    };
    expect(await say(server.address, 'id:50')).toContain('W_SERVER_LOGITS');
    expect(await say(server.address, 'contrast:cat|mat')).not.toContain('W_SERVER_LOGITS');
    expect(await say(testModels.tinyLlama, 'id:50')).not.toContain('W_SERVER_LOGITS');
  },
);

test('logprobs: the same numbers, and no rank that is not known', async () => {
  const { direct, remote } = await run('logprobs', '-', '--top', '3');
  type Reading = { tokens: { id: number; logprob: number | null; rank: number | null }[] };
  const [wanted, found] = [direct, remote].map(({ stdout }) => (JSON.parse(stdout) as Reading).tokens);
  const shown = (tokens: Reading['tokens'] | undefined) =>
    tokens?.map(({ id, logprob, rank }) => [id, logprob?.toFixed(3), (rank ?? 9) > 3 ? null : rank]);
  expect(found?.map(({ id, logprob, rank }) => [id, logprob?.toFixed(3), rank])).toEqual(shown(wanted));
});

test('a method that needs gradients is refused with those that run', async () => {
  const { remote } = await run('explain', '-', '--method', 'saliency');
  expect(remote.code).toBe(3);
  expect(remote.stderr).toMatch(/^E_METHOD_UNSUPPORTED.*needs gradients.*occlusion.*lime/);
});

test('models inspect', async () => {
  const options = { environment: { PROMPT_LOUPE_API_KEY: apiKey } };
  const { code, stdout } = await runCli(['models', 'inspect', `${server.address}/`, '--json'], options);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ format: 'remote', file: server.address, can: { gradient: false, language: true } });
});

test.each([
  ['no key', () => server.address, /^E_SERVER_KEY/, 4],
  ['a key in the address', () => 'http://user:secret@localhost', /^E_SERVER_ADDRESS/, 3],
  ['nobody there', () => 'http://127.0.0.1:9', /^E_SERVER_UNREACHABLE/, 4],
])('refused: %s', async (_name, address, error, exitCode) => {
  const { code, stderr } = await runCli(['generate', '-', '--model', address()], { stdin: 'The cat' });
  expect(stderr).toMatch(error);
  expect(stderr).not.toContain('secret@');
  expect(code).toBe(exitCode);
});
