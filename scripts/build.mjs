// Bundles the four outputs into dist/: extension, engine (child process and its worker), cli, webview; and the suite for the extension host.
// `--watch` rebuilds on change, `--production` minifies.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';

const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

const common = { bundle: true, sourcemap: true, minify: production, logLevel: 'warning', legalComments: 'linked' };

// CommonJS has no import.meta.url; the banner gives bundled code the same value.
const node = {
  ...common,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode', 'koffi', 'onnxruntime-node'],
  // jsonc-parser's CommonJS build requires its own files by computed names, which no bundler can follow.
  mainFields: ['module', 'main'],
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  outdir: 'dist',
};

// What draws a PNG on the command line: files of their own, read only when one is asked for.
const pictureFiles = ['@resvg/resvg-wasm/index_bg.wasm', 'dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf'];
const copyPictureFiles = {
  name: 'picture-files',
  setup: (build) => {
    const { write, outdir, absWorkingDir = '' } = build.initialOptions;
    if (write === false) return;
    build.onEnd(() => {
      for (const file of pictureFiles) {
        const from = fileURLToPath(new URL(`../node_modules/${file}`, import.meta.url));
        cpSync(from, path.resolve(absWorkingDir, outdir, 'picture', path.basename(file)));
      }
    });
  },
};

export const outputs = [
  { ...node, entryPoints: { extension: 'src/extension/extension.ts' } },
  { ...node, entryPoints: { engine: 'src/engine/main.ts' } },
  {
    ...node,
    banner: { js: `#!/usr/bin/env node\n${node.banner.js}` },
    define: { ...node.define, packageVersion: JSON.stringify(version) },
    entryPoints: { cli: 'src/cli/main.ts' },
    plugins: [copyPictureFiles],
  },
  // Not part of the product: the suite that the editor runs in its extension host (`extensionTestsPath`).
  { ...node, entryPoints: { 'test/suite': 'test/vscode/suite/index.ts' } },
  {
    ...common,
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    tsconfig: 'webview/tsconfig.json',
    entryPoints: { explain: 'webview/explain/main.ts', attention: 'webview/attention/main.ts', inside: 'webview/inside/main.ts' },
    outdir: 'dist/webview',
  },
];

/** The output with an entry of this name. */
export function outputNamed(name) {
  const output = outputs.find(({ entryPoints }) => name in entryPoints);
  if (output === undefined) throw new Error(`no output is named ${name}`);
  return output;
}

async function buildAll() {
  if (!watch) rmSync('dist', { recursive: true, force: true });
  for (const output of outputs) {
    const build = await context(output);
    if (watch) await build.watch();
    else {
      await build.rebuild();
      await build.dispose();
    }
  }
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await buildAll();
