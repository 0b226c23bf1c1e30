// Writes THIRD-PARTY-NOTICES.md: every package whose code or binary we ship, with its licence text.
// `--check` only compares, for `npm run check`.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { outputs } from './build.mjs';

const file = 'THIRD-PARTY-NOTICES.md';
// Loaded at run time, not bundled. The platform packages carry llama.cpp and ggml; one stands for all.
const native = ['koffi', '@node-llama-cpp/linux-x64', 'onnxruntime-node', 'onnxruntime-common'];

// Files that the build copies beside the bundles.
const copied = ['@resvg/resvg-wasm', 'dejavu-fonts-ttf'];

// A licence that asks for where the source is.
const sources = { '@resvg/resvg-wasm': 'https://github.com/yisibl/resvg-js' };

const names = new Set([...native, ...copied]);
for (const output of outputs) {
  const { metafile } = await build({ ...output, write: false, metafile: true });
  for (const input of Object.keys(metafile.inputs)) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(input);
    if (match) names.add(match[1]);
  }
}

const text = [
  '# Third-party notices',
  '',
  'Prompt Loupe ships code or binaries of these packages. The bundled model has its own licence: `models/README.md`.',
  '',
];
for (const name of [...names].sort()) {
  const folder = path.join('node_modules', name);
  if (!existsSync(folder)) continue;
  const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  text.push(`## ${name} ${version} — ${license}`, '');
  const licence = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.|$)/i.test(entry));
  if (sources[name])
    text.push(`The Mozilla Public License 2.0 (https://mozilla.org/MPL/2.0/); its source: ${sources[name]}.`, '');
  if (licence) text.push('```', readFileSync(path.join(folder, licence), 'utf8').replaceAll('\r\n', '\n').trim(), '```', '');
}
text.push(
  '## llama.cpp and ggml — MIT',
  '',
  'The shared libraries in the `@node-llama-cpp/*` packages are built from llama.cpp. Copyright (c) 2023-2026 The ggml authors. The MIT licence text above applies to them under that copyright.',
  '',
);
const wanted = text.join('\n');

if (!process.argv.includes('--check')) writeFileSync(file, wanted);
else if (!existsSync(file) || readFileSync(file, 'utf8') !== wanted) {
  console.error(`${file} is out of date: run "npm run notices"`);
  process.exitCode = 1;
}
