// Installs a real VS Code server (code-server, pinned) and, when asked, finds or installs a Chromium to drive it.
// Everything lands in the ignored folder .vscode-test/ and comes from the package registry. Running it again is quick.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const versions = { codeServer: '4.117.0', node: '22', sparticuz: '147.0.0' };
// Raised when what this script does to the installed files changes.
const recipe = 2;

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const folder = path.join(root, '.vscode-test');
const installed = (...parts) => path.join(folder, 'node_modules', ...parts);

/**
 * @param {{ browser: boolean, log?: (line: string) => void }} options
 * @returns {Promise<{ node: string, entry: string, chromium: string | null }>} absolute paths
 */
export async function setupVscode({ browser, log = (line) => console.log(line) }) {
  if (process.platform === 'win32') {
    throw new Error('the pinned code-server runs on Linux and macOS; on Windows put desktop VS Code\'s "code" on the PATH');
  }
  await alone(() => installServer(log));
  return {
    node: installed(`node-${process.platform}-${process.arch}`, 'bin/node'),
    entry: installed('code-server/out/node/entry.js'),
    chromium: browser ? await findChromium(log) : null,
  };
}

/** Two test files that both need the server in a fresh clone would else install into the same folder at once. */
async function alone(work) {
  const lock = `${folder}.lock`;
  for (;;) {
    try {
      fs.mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      // A run that was killed leaves its lock behind.
      const since = fs.statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - since > 20 * 60_000) fs.rmSync(lock, { recursive: true, force: true });
      else await setTimeout(200);
    }
  }
  try {
    work();
  } finally {
    fs.rmSync(lock, { recursive: true, force: true });
  }
}

function installServer(log) {
  const stamp = path.join(folder, 'stamp.json');
  const wanted = JSON.stringify({ ...versions, recipe });
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === wanted) return;

  log('Installing the pinned VS Code server (about 500 MB, one to three minutes, once) …');
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const dependencies = {
    'code-server': versions.codeServer,
    [`node-${process.platform}-${process.arch}`]: versions.node,
  };
  if (process.platform === 'linux' && process.arch === 'x64') dependencies['@sparticuz/chromium'] = versions.sparticuz;
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  npmInstall(folder);
  const server = installed('code-server/lib/vscode');
  npmInstall(server, '--omit=dev');
  removeBrokenExtensions(path.join(server, 'extensions'));
  ensureRipgrep(path.join(server, 'node_modules/@vscode/ripgrep/bin/rg'));
  // About 270 MB that the server never loads here.
  for (const name of ['@github', '@vscode/windows-ca-certs', '@anthropic-ai', 'typescript']) {
    fs.rmSync(path.join(server, 'node_modules', name), { recursive: true, force: true });
  }
  fs.writeFileSync(stamp, wanted);
}

function npmInstall(cwd, ...more) {
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []];
  const args = [
    ...first,
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--prefer-offline',
    ...more,
  ];
  // Our own npm run sets npm_config_* and INIT_CWD; the inner install must not inherit the outer project.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(npm_package_|npm_lifecycle_|npm_config_local_prefix|INIT_CWD)/.test(key)),
  );
  execFileSync(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 15 * 60_000 });
}

/**
 * Built-in extensions with a `main` and no `browser` entry lack their own dependencies here and raise a red message when
 * they activate. Those with a `browser` entry are listed in the workbench bundle and must stay.
 */
function removeBrokenExtensions(extensions) {
  for (const name of fs.readdirSync(extensions)) {
    const manifest = path.join(extensions, name, 'package.json');
    if (!fs.existsSync(manifest)) continue;
    const { main, browser } = JSON.parse(fs.readFileSync(manifest, 'utf8'));
    if (main && !browser) fs.rmSync(path.dirname(manifest), { recursive: true });
  }
}

/** The package's binary is a download of its own; without any, search and workspaceContains raise messages. */
function ensureRipgrep(binary) {
  if (fs.existsSync(binary)) return;
  fs.mkdirSync(path.dirname(binary), { recursive: true });
  if (fs.existsSync('/usr/bin/rg')) fs.symlinkSync('/usr/bin/rg', binary);
  else fs.writeFileSync(binary, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
}

const systemChromiums = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The Chromium that needs no installation: CHROMIUM_PATH, then where systems put it; null when there is none. */
export function systemChromium() {
  return [process.env.CHROMIUM_PATH, ...systemChromiums].find((file) => file && fs.existsSync(file)) ?? null;
}

/** Order: CHROMIUM_PATH, a system Chromium, the one in the npm package, apt (Debian and root only). */
async function findChromium(log) {
  const system = systemChromium();
  if (system !== null) return system;
  const packaged = await unpackChromium(log);
  if (packaged) return packaged;
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    log('Installing Chromium with apt …');
    execFileSync('apt-get', ['update'], { stdio: ['ignore', 'ignore', 'inherit'] });
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const fresh = systemChromiums.find((file) => fs.existsSync(file));
    if (fresh) return fresh;
  }
  throw new Error('no Chromium found: install one, or set CHROMIUM_PATH to its executable');
}

/** The packaged build needs a few system libraries (nss, nspr, expat); where they are missing it does not start. */
async function unpackChromium(log) {
  const entry = installed('@sparticuz/chromium/build/esm/index.js');
  if (!fs.existsSync(entry)) return null;
  const { default: chromium } = await import(pathToFileURL(entry).href);
  const file = await chromium.executablePath();
  try {
    execFileSync(file, ['--version'], { stdio: 'ignore', timeout: 30_000 });
    return file;
  } catch {
    log('The packaged Chromium does not start here (missing system libraries).');
    return null;
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log(await setupVscode({ browser: true }));
}
