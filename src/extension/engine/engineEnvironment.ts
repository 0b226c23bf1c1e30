/**
 * The engine's environment: the host's own, made to run as plain Node and without what would attach a debugger
 * or preload a file into it (both are set for extension hosts and inherited otherwise).
 */
export function engineEnvironment(host: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, VSCODE_INSPECTOR_OPTIONS: _inspector, ...kept } = host;
  return { ...kept, ELECTRON_RUN_AS_NODE: '1' };
}
