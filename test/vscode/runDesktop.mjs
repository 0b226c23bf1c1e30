// Runs the in-host suite in desktop VS Code, which @vscode/test-electron downloads: for networked machines only.
import { mkdtempSync, cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests } from '@vscode/test-electron';

const root = path.resolve(fileURLToPath(import.meta.url), '../../..');
// A copy: the suite edits what it opens.
const workspace = path.join(mkdtempSync(path.join(tmpdir(), 'prompt-loupe-desktop-')), 'examples');
cpSync(path.join(root, 'examples'), workspace, { recursive: true });

await runTests({
  version: '1.117.0',
  extensionDevelopmentPath: root,
  extensionTestsPath: path.join(root, 'dist/test/suite.cjs'),
  launchArgs: [workspace, '--disable-extensions', '--disable-workspace-trust'],
});
