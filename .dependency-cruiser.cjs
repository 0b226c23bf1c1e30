// The arrows of ARCHITECTURE.md: who may import whom. A folder names the runtime its code may use.
const only = (from, allowed, name = from.replace(/\W+/g, '-').replace(/^-|-$/g, '')) => ({
  name: `${name}-imports`,
  severity: 'error',
  comment: `${from} may import only: ${[from, ...allowed].join(', ')}`,
  from: { path: `^${from}/` },
  to: { path: '^(src|webview|test|bench|scripts)/', pathNot: `^(${[from, ...allowed].join('|')})/` },
});

module.exports = {
  forbidden: [
    only('src/shared', []),
    only('src/prompt', ['src/shared']),
    only('src/model', ['src/shared']),
    only('src/llama', ['src/shared', 'src/model']),
    only('src/onnx', ['src/shared', 'src/model']),
    only('src/remote', ['src/shared', 'src/model']),
    only('src/attribution', ['src/shared', 'src/model']),
    only('src/analysis', ['src/shared', 'src/model', 'src/attribution']),
    only('src/engine', [
      'src/shared',
      'src/prompt',
      'src/model',
      'src/llama',
      'src/onnx',
      'src/remote',
      'src/attribution',
      'src/analysis',
    ]),
    only('src/cli', ['src/shared', 'src/prompt', 'src/model', 'src/attribution', 'src/analysis', 'src/engine']),
    only('src/extension', ['src/shared']),
    only('webview', ['src/shared']),
    {
      name: 'shared-has-no-runtime',
      severity: 'error',
      comment: 'src/shared runs in the editor, the engine and the browser: no Node built-ins, no packages but valibot and birpc',
      from: { path: '^src/(shared)/' },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev'], pathNot: 'node_modules/(valibot|birpc)/' },
    },
    {
      name: 'vscode-only-in-extension',
      severity: 'error',
      from: { pathNot: '^(src/extension|test/vscode|test/extension)/' },
      to: { path: '^vscode$' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'one-file-for-the-archived-toolkit',
      severity: 'error',
      from: { pathNot: '^webview/ui/controls\\.ts$' },
      to: { path: '@vscode/webview-ui-toolkit' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
