// `npm run package [-- TARGET…]`: one VSIX a target in dist-vsix/, with the engine, that target's native libraries and the bundled model.
// A target's native packages must be installed; by default that is this machine's own.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const natives = {
  'linux-x64': ['@node-llama-cpp/linux-x64', '@koromix/koffi-linux-x64'],
  'linux-arm64': ['@node-llama-cpp/linux-arm64', '@koromix/koffi-linux-arm64'],
  'darwin-arm64': ['@node-llama-cpp/mac-arm64-metal', '@koromix/koffi-darwin-arm64'],
  'darwin-x64': ['@node-llama-cpp/mac-x64', '@koromix/koffi-darwin-x64'],
  'win32-x64': ['@node-llama-cpp/win-x64', '@koromix/koffi-win32-x64'],
  'win32-arm64': ['@node-llama-cpp/win-arm64', '@koromix/koffi-win32-arm64'],
};
const shipped = [
  'dist',
  'l10n',
  'media',
  'models',
  'examples',
  'package.nls.json',
  'package.nls.zh-cn.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'THIRD-PARTY-NOTICES.md',
];
const out = path.resolve('dist-vsix');

execFileSync(process.execPath, ['scripts/build.mjs', '--production'], { stdio: 'inherit' });
const asked = process.argv.slice(2);
for (const target of asked.length > 0 ? asked : [`${process.platform}-${process.arch}`]) packageTarget(target);

function packageTarget(target) {
  const packages = natives[target];
  if (!packages) throw new Error(`unknown target ${target}: one of ${Object.keys(natives).join(', ')}`);
  const stage = path.join(out, `stage-${target}`);
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const entry of shipped)
    if (existsSync(entry)) cpSync(entry, path.join(stage, entry), { recursive: true, filter: isNeeded });
  rmSync(path.join(stage, 'dist/test'), { recursive: true, force: true });
  // The kernel for gradients, this target's only.
  const kernel = path.join('native', 'prebuilt', target);
  cpSync(kernel, path.join(stage, kernel), { recursive: true });
  const shared = ['koffi', 'onnxruntime-node', 'onnxruntime-common'];
  for (const name of [...shared, ...packages]) {
    const source = path.join('node_modules', name);
    if (!existsSync(source)) throw new Error(`${name} is not installed: npm install --os … --cpu … for ${target} first`);
    cpSync(source, path.join(stage, 'node_modules', name), {
      recursive: true,
      filter: (file) => isNeeded(file) && isForTarget(file, target),
    });
  }
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const field of ['devDependencies', 'dependencies', 'optionalDependencies', 'scripts', 'private', 'type'])
    delete manifest[field];
  // `vsce` keeps node_modules only for packages that the manifest depends on.
  manifest.dependencies = Object.fromEntries([...shared, ...packages].map((name) => [name, '*']));
  withoutInstallers(path.join(stage, 'node_modules/onnxruntime-node/package.json'));
  manifest.repository ??= { type: 'git', url: 'https://example.invalid/prompt-loupe' };
  writeFileSync(path.join(stage, 'package.json'), JSON.stringify(manifest, null, 2));
  const vsce = path.resolve('node_modules/@vscode/vsce/vsce');
  execFileSync(
    process.execPath,
    [
      vsce,
      'package',
      '--target',
      target,
      '--allow-missing-repository',
      '--skip-license',
      // Pictures of the README are inside the package; there is no public repository to point at.
      '--no-rewrite-relative-links',
      '--out',
      path.join(out, `prompt-loupe-${target}.vsix`),
    ],
    {
      cwd: stage,
      stdio: 'inherit',
    },
  );
  rmSync(stage, { recursive: true, force: true });
}

/** ONNX Runtime ships the libraries of all systems in one package. */
function isForTarget(file, target) {
  const [, system, processor] = /[/\\]napi-v\d+[/\\](\w+)(?:[/\\](\w+))?/.exec(file) ?? [];
  const [targetSystem, targetProcessor] = target.split('-');
  return system === undefined || (system === targetSystem && (processor ?? targetProcessor) === targetProcessor);
}

/** What ONNX Runtime needs only to download more providers is not shipped. */
function withoutInstallers(file) {
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  manifest.dependencies = { 'onnxruntime-common': manifest.dependencies['onnxruntime-common'] };
  writeFileSync(file, JSON.stringify(manifest, null, 2));
}

/** Left out: the add-on of node-llama-cpp itself (we load the libraries directly), sources, type declarations, source maps. */
function isNeeded(file) {
  return !/llama-addon\.node$|[/\\]koffi[/\\](vendor|doc|lib)[/\\]|[/\\]koffi[/\\]src[/\\].*\.(c|cc|cpp|h|hh|hpp|S|asm|inc|txt)$|\.ts$|\.map$/.test(
    file,
  );
}
