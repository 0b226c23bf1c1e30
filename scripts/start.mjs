// npm start: builds, explains an example in this terminal, then opens the editor with the extension and examples/ loaded.
// `npm start -- --no-editor` stops after the terminal part. Needs Node and the installed packages, nothing else.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { clearInterval, setInterval } from 'node:timers';
import { fileURLToPath } from 'node:url';

const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const minimumNode = 20;

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);

async function main(argv) {
  const unknown = argv.filter((argument) => argument !== '--no-editor');
  if (unknown.length > 0) throw new Error(`npm start takes only --no-editor, not ${unknown.join(' ')}`);
  checkMachine();
  await run([path.join(root, 'scripts/build.mjs')]);
  console.log('\n$ npx prompt-loupe explain examples/capital.md\n');
  await run([path.join(root, 'dist/cli.cjs'), 'explain', path.join('examples', 'capital.md')]);
  if (argv.includes('--no-editor')) return 0;
  console.log('');
  return await openEditor();
}

function checkMachine() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < minimumNode) {
    throw new Error(
      `Prompt Loupe needs Node ${minimumNode} or newer; this is ${process.version}. Get one from https://nodejs.org.`,
    );
  }
  if (!fs.existsSync(path.join(root, 'node_modules/esbuild'))) {
    throw new Error('The packages are not installed yet: run "npm ci" first.');
  }
}

/** Desktop VS Code where there is one, else the pinned server, which runs until Ctrl-C. */
async function openEditor() {
  const code = findOnPath('code');
  if (code !== null) {
    console.log('Opening VS Code with the extension and examples/ …');
    await run([`--extensionDevelopmentPath=${root}`, path.join(root, 'examples')], code);
    return 0;
  }
  console.log('There is no "code" on the PATH: using a VS Code server in your browser instead.');
  const { setupVscode } = await import('./setup-vscode.mjs');
  const { startCodeServer } = await import('./codeServer.mjs');
  const { node, entry } = await setupVscode({ browser: false });
  const server = await startCodeServer({
    node,
    entry,
    dataFolder: path.join(root, '.vscode-test', 'start'),
    extensionFolder: root,
    folder: path.join(root, 'examples'),
  });
  console.log(
    `\nOpen this address in a browser on this machine:\n\n  ${server.url}\n\nRight-click a prompt and choose "Explain Prompt". Ctrl-C stops the server.`,
  );
  await interrupted();
  console.log('\nStopping …');
  await server.stop();
  return 0;
}

function interrupted() {
  return new Promise((resolve) => {
    // Without something to wait for, Node would end here.
    const alive = setInterval(() => undefined, 60_000);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
      process.once(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
}

/** Runs a program in this terminal; rejects unless it ends with 0. */
function run(argv, command = process.execPath) {
  return new Promise((resolve, reject) => {
    // On Windows `code` is a .cmd file, which only a shell can start; every argument is our own.
    const shell = process.platform === 'win32' && command.toLowerCase().endsWith('.cmd');
    const quoted = shell ? argv.map((argument) => `"${argument}"`) : argv;
    const child = spawn(shell ? `"${command}"` : command, quoted, { cwd: root, stdio: 'inherit', shell });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${path.basename(argv[0])} ended with ${signal ?? `code ${code}`}.`));
    });
  });
}

function findOnPath(name) {
  const endings = process.platform === 'win32' ? ['.cmd', '.exe'] : [''];
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      if (folder !== '' && isProgram(file)) return file;
    }
  }
  return null;
}

function isProgram(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return fs.statSync(file).isFile();
  } catch {
    return false;
  }
}
