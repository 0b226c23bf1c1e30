import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test, vi } from 'vitest';
import { engineStopped } from '../../../src/shared/errorCatalog.ts';
import type { EngineMethods } from '../../../src/shared/protocol/engine.ts';
import { EngineChild, type EngineExit } from '../../../src/extension/engine/engineChild.ts';
import { engineBundle } from '../../setup/engineBundle.ts';

const children: EngineChild[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(children.splice(0).map((child) => child.kill(engineStopped('the test is over'))));
});

async function startChild(idleMilliseconds = 0) {
  const exits: EngineExit[] = [];
  const child = new EngineChild({
    engineFile: await engineBundle(),
    idleMilliseconds,
    inspectPort: 0,
    log: () => undefined,
    listeners: {},
    onExit: (exit) => exits.push(exit),
  });
  children.push(child);
  return { child, exits };
}

test.each(['missing', 'constructor'])('a method the process does not know rejects: %s', async (method) => {
  const { child } = await startChild();
  await expect(child.peer.call(method as keyof EngineMethods, [] as never)).rejects.toMatchObject({
    code: 'E_RPC_METHOD_UNKNOWN',
  });
});

test('what the host preloads and debugs is not inherited', async () => {
  vi.stubEnv('NODE_OPTIONS', '--require /nowhere/preload.cjs');
  vi.stubEnv('VSCODE_INSPECTOR_OPTIONS', '{"port":1}');
  const { child } = await startChild();
  expect(await child.peer.call('status', [])).toMatchObject({ state: 'ready' });
});

test('ending by itself is no crash', async () => {
  const { child, exits } = await startChild(50);
  await child.gone;
  expect(exits.map(({ kind }) => kind)).toEqual(['idle']);
});

test.each(['kill', 'stop'] as const)('%s rejects what waits with the reason given', async (how) => {
  const { child, exits } = await startChild();
  const waiting = child.peer.call('status', []);
  const ended = child[how](engineStopped('enough'));
  await expect(waiting).rejects.toMatchObject({ code: 'E_ENGINE_STOPPED', parts: { why: 'enough' } });
  await ended;
  expect(exits.map(({ kind }) => kind)).toEqual(['ended']);
});

test('the engine ends with the process that started it', async () => {
  const script = `
    const engine = require('node:child_process').fork(process.argv[1], ['--idle-milliseconds=0'],
      { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    engine.once('spawn', () => process.stdout.write(String(engine.pid)));`;
  const parent = spawn(process.execPath, ['-e', script, await engineBundle()], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(parent.stdout, 'data');
  parent.kill('SIGKILL');
  // Both hold the other end of this pipe: it closes when the last of them is gone.
  await once(parent, 'close');
  expect(parent.stdout.readableEnded).toBe(true);
});

test('started by hand, it says what it is and ends', async () => {
  const child = spawn(process.execPath, [await engineBundle()], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect({ code, said }).toEqual({ code: 2, said: expect.stringContaining('prompt-loupe') });
});
