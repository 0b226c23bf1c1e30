// Starts the pinned VS Code server on a free loopback port and stops it again.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';

const defaultSettings = {
  'workbench.startupEditor': 'none',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'chat.disableAIFeatures': true,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
};

/**
 * @param {object} options
 * @param {string} options.node Node ≥ 22 that runs the server
 * @param {string} options.entry code-server's entry file
 * @param {string} options.dataFolder user data; emptied first
 * @param {string} [options.extensionFolder] the extension under development
 * @param {string} [options.vsix] a packaged extension, installed first as a user would
 * @param {string} options.folder the folder the editor opens
 * @param {string} [options.testsFile] an extensionTestsPath module, run in the extension host
 * @param {Record<string, unknown>} [options.settings] user settings over the defaults
 * @param {Record<string, string>} [options.env] added to the server's environment
 * @returns {Promise<{ url: string, port: number, pid: number, logFile: string, stop: () => Promise<void> }>}
 */
export async function startCodeServer({
  node,
  entry,
  dataFolder,
  extensionFolder,
  vsix,
  folder,
  testsFile,
  settings = {},
  env = {},
}) {
  const port = await freePort();
  fs.rmSync(dataFolder, { recursive: true, force: true });
  // Settings of machine scope are read from Machine/, all others from User/.
  for (const scope of ['User', 'Machine']) {
    fs.mkdirSync(path.join(dataFolder, scope), { recursive: true });
    fs.writeFileSync(path.join(dataFolder, scope, 'settings.json'), JSON.stringify({ ...defaultSettings, ...settings }, null, 2));
  }

  const folders = [`--user-data-dir=${dataFolder}`, `--extensions-dir=${path.join(dataFolder, 'extensions')}`];
  if (vsix) {
    // It complains of a missing logger and installs all the same; what it says is in the error where it fails.
    const install = [entry, ...folders, '--install-extension', vsix];
    execFileSync(node, install, { env: serverEnvironment(dataFolder, env), stdio: 'pipe' });
  }
  const logFile = path.join(dataFolder, 'server.log');
  const log = fs.openSync(logFile, 'w');
  const child = spawn(
    node,
    [
      entry,
      '--auth=none',
      `--bind-addr=127.0.0.1:${port}`,
      '--disable-telemetry',
      '--disable-update-check',
      '--disable-workspace-trust',
      '--disable-getting-started-override',
      ...folders,
    ],
    { env: serverEnvironment(dataFolder, env), stdio: ['ignore', log, log], detached: true },
  );
  fs.closeSync(log);
  const exited = new Promise((resolve) => child.once('exit', resolve));

  const stop = async () => {
    signalGroup(child.pid, 'SIGTERM');
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 3000).unref())]);
    signalGroup(child.pid, 'SIGKILL');
  };
  try {
    await Promise.race([untilHealthy(port), exited.then((code) => Promise.reject(new Error(`code-server ended with ${code}`)))]);
  } catch (error) {
    await stop();
    throw new Error(`${error.message}\n${fs.readFileSync(logFile, 'utf8').slice(-4000)}`);
  }

  const remote = (file) => `vscode-remote://127.0.0.1:${port}${file}`;
  const payload = extensionFolder ? [['extensionDevelopmentPath', remote(extensionFolder)]] : [];
  if (testsFile) payload.push(['extensionTestsPath', remote(testsFile)]);
  const query = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
  return { url: `http://127.0.0.1:${port}/?${query}`, port, pid: child.pid, logFile, stop };
}

function serverEnvironment(dataFolder, more) {
  const env = {
    ...process.env,
    EXTENSIONS_GALLERY: '{"serviceUrl":""}',
    HOME: dataFolder,
    XDG_CONFIG_HOME: path.join(dataFolder, 'config'),
    XDG_DATA_HOME: path.join(dataFolder, 'share'),
    ...more,
  };
  for (const name of ['NODE_OPTIONS', 'VSCODE_IPC_HOOK_CLI', 'PORT', 'PASSWORD']) delete env[name];
  return env;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function untilHealthy(port, limitMilliseconds = 90_000) {
  const end = Date.now() + limitMilliseconds;
  while (Date.now() < end) {
    if (await isHealthy(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('code-server did not answer in time');
}

function isHealthy(port) {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/healthz' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}

/** The server runs in its own process group, so that its workers end with it. */
function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // already gone
  }
}
