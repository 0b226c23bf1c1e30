// Asks a C compiler where every field of the structs in src/llama/native/structs.ts lies, and writes the answer as JSON.
//
//   node scripts/llama-layout.mjs FOLDER > test/fixtures/llama/layout.json
//
// FOLDER: the llama.cpp sources of exactly the pinned release. node-llama-cpp ships them as a git bundle:
//   npm pack node-llama-cpp@3.21.1 && tar xzf node-llama-cpp-3.21.1.tgz package/llama
//   git clone package/llama/gitRelease.bundle FOLDER
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const [sources] = process.argv.slice(2);
if (sources === undefined) throw new Error('name the folder of the llama.cpp sources');

const folder = mkdtempSync(path.join(os.tmpdir(), 'llama-layout-'));
try {
  const module = path.join(folder, 'structs.mjs');
  await build({ entryPoints: ['src/llama/native/structs.ts'], outfile: module, bundle: true, format: 'esm' });
  const { structLayouts } = await import(pathToFileURL(module).href);
  const program = path.join(folder, 'layout');
  writeFileSync(`${program}.c`, cProgram(structLayouts));
  const includes = ['include', 'ggml/include'].flatMap((name) => ['-I', path.join(sources, name)]);
  execFileSync(process.env.CC ?? 'cc', [...includes, `${program}.c`, '-o', program], { stdio: 'inherit' });
  const layout = JSON.parse(execFileSync(program, { encoding: 'utf8' }));
  process.stdout.write(`${JSON.stringify(layout, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A program that prints { struct: { size, offsets: { field: byte } } }; a field the header lacks does not compile. */
function cProgram(layouts) {
  const structs = Object.entries(layouts).map(([name, fields]) => {
    const offsets = Object.keys(fields)
      .map((field) => `  printf("\\"${field}\\": %zu", offsetof(struct ${name}, ${field}));`)
      .join('\n  printf(", ");\n');
    return `  printf("\\"${name}\\": {\\"size\\": %zu, \\"offsets\\": {", sizeof(struct ${name}));\n${offsets}\n  printf("}}");`;
  });
  return [
    '#include <stddef.h>',
    '#include <stdio.h>',
    '#include "llama.h"',
    'int main(void) {',
    '  printf("{");',
    structs.join('\n  printf(", ");\n'),
    '  printf("}");',
    '  return 0;',
    '}',
  ].join('\n');
}
