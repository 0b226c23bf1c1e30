import { expect, test } from 'vitest';
import { debuggerPort, engineEnvironment } from '../../../src/extension/engine/engineEnvironment.ts';

test('the engine runs as plain Node and inherits no debugger', () => {
  const host = { PATH: '/bin', NODE_OPTIONS: '--require ./bootstrap.js', VSCODE_INSPECTOR_OPTIONS: '{"port":1}' };
  expect(engineEnvironment(host)).toEqual({ PATH: '/bin', ELECTRON_RUN_AS_NODE: '1' });
});

test.each([
  [9229, undefined, 9229],
  [9229, '9339', 9229],
  [0, '9339', 9339],
  [0, undefined, 0],
  [0, '', 0],
  [0, 'x', 0],
  [0, '70000', 0],
  [0, '-1', 0],
])('a debugger waits where the setting (%s) or the launcher (%s) says: %s', (setting, launcher, port) => {
  expect(debuggerPort(setting, launcher === undefined ? {} : { PROMPT_LOUPE_INSPECT_ENGINE: launcher })).toBe(port);
});
