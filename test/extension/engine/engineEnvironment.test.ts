import { expect, test } from 'vitest';
import { engineEnvironment } from '../../../src/extension/engine/engineEnvironment.ts';

test('the engine runs as plain Node and inherits no debugger', () => {
  const host = { PATH: '/bin', NODE_OPTIONS: '--require ./bootstrap.js', VSCODE_INSPECTOR_OPTIONS: '{"port":1}' };
  expect(engineEnvironment(host)).toEqual({ PATH: '/bin', ELECTRON_RUN_AS_NODE: '1' });
});
