// `npm run build:native`: compiles native/source for every target with zig (PyPI's ziglang, which cross-compiles), into native/prebuilt/,
// and writes what the loader and the test compare: the SHA-256 of each library and of the sources.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sourceDigest } from './kernelSources.mjs';

const zigVersion = '0.17.1';
const root = path.resolve(fileURLToPath(import.meta.url), '../..');
const source = path.join(root, 'native/source');
const prebuilt = path.join(root, 'native/prebuilt');

const x64 = { avx512: ['-mcpu=x86_64_v4', '-mprefer-vector-width=512'], avx2: ['-mcpu=x86_64_v3'], loupe: [] };
const arm64 = { neon: [], loupe: [] };
/** Keyed as Node names them: platform and processor. */
const targets = {
  'linux-x64': { zig: 'x86_64-linux-gnu', library: 'loupe.so', files: x64 },
  'linux-arm64': { zig: 'aarch64-linux-gnu', library: 'loupe.so', files: arm64 },
  // The oldest macOS that the editor itself runs on.
  'darwin-x64': { zig: 'x86_64-macos.11.0', library: 'loupe.dylib', files: x64 },
  'darwin-arm64': { zig: 'aarch64-macos.11.0', library: 'loupe.dylib', files: arm64 },
  'win32-x64': { zig: 'x86_64-windows-gnu', library: 'loupe.dll', files: x64 },
  'win32-arm64': { zig: 'aarch64-windows-gnu', library: 'loupe.dll', files: arm64 },
};
const flags = [
  ...['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-O3', '-ffp-contract=fast'],
  // No C library: nothing may be turned into a call of one.
  ...[
    '-ffreestanding',
    '-fno-builtin',
    '-fno-stack-protector',
    '-fno-sanitize=all',
    '-fno-unwind-tables',
    '-fno-asynchronous-unwind-tables',
  ],
  ...['-fvisibility=hidden', '-g0'],
];

const zig = findZig();
const work = mkdtempSync(path.join(os.tmpdir(), 'loupe-native-'));
try {
  const libraries = {};
  for (const [target, settings] of Object.entries(targets)) libraries[target] = buildTarget(target, settings);
  writeFileSync(path.join(root, 'src/llama/native/kernelFiles.ts'), filesModule(libraries));
  writeFileSync(
    path.join(prebuilt, 'manifest.json'),
    `${JSON.stringify({ source: sourceDigest(source), libraries }, null, 2)}\n`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}

function buildTarget(target, { zig: triple, library, files }) {
  const objects = Object.entries(files).map(([name, extra]) => {
    const object = path.join(work, `${target}-${name}.o`);
    const position = triple.includes('windows') ? [] : ['-fPIC'];
    run('cc', '-target', triple, ...flags, ...position, ...extra, '-c', path.join(source, `${name}.c`), '-o', object);
    return object;
  });
  const folder = path.join(prebuilt, target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const out = path.join(folder, library);
  run('cc', '-target', triple, '-shared', '-nostdlib', '-s', ...reproducible(triple, library), ...objects, '-o', out);
  // What the Windows linker writes beside the library.
  for (const name of readdirSync(folder)) if (name !== library) rmSync(path.join(folder, name));
  const bytes = readFileSync(out);
  console.log(`${target}: ${bytes.length} bytes`);
  return { file: `${target}/${library}`, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** The Windows linker would write the time of day, that of macOS the path of the file: the same sources give the same bytes anywhere. */
function reproducible(triple, library) {
  if (triple.includes('windows')) return ['-Wl,/Brepro'];
  return triple.includes('macos') ? [`-Wl,-install_name,@rpath/${library}`] : [];
}

function filesModule(libraries) {
  const rows = Object.entries(libraries).map(
    ([target, { file, sha256 }]) => `  '${target}': {\n    file: '${file}',\n    sha256: '${sha256}',\n  },`,
  );
  return [
    '/** Written by `npm run build:native`: the prebuilt kernel of each system, and the digest it must have to be loaded. */',
    'export const kernelFiles: Readonly<Record<string, { readonly file: string; readonly sha256: string }>> = {',
    ...rows,
    '};',
    '',
  ].join('\n');
}

/** Python with ziglang of the pinned version: the one at hand, or one installed into a folder of ours. */
function findZig() {
  const own = path.join(root, 'node_modules/.cache/zig', process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  for (const python of ['python3', own]) if (versionOf(python) === zigVersion) return python;
  if (!existsSync(own)) execFileSync('python3', ['-m', 'venv', path.join(root, 'node_modules/.cache/zig')], { stdio: 'inherit' });
  execFileSync(own, ['-m', 'pip', 'install', '--quiet', `ziglang==${zigVersion}`], { stdio: 'inherit' });
  return own;
}

function versionOf(python) {
  try {
    return execFileSync(python, ['-m', 'ziglang', 'version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

function run(...words) {
  execFileSync(zig, ['-m', 'ziglang', ...words], { stdio: 'inherit' });
}
