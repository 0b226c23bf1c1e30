/**
 * The engine's environment: the host's own, made to run as plain Node and without what would attach a debugger
 * or preload a file into it (both are set for extension hosts and inherited otherwise).
 */
export function engineEnvironment(host: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...host, ELECTRON_RUN_AS_NODE: '1' };
  delete environment.NODE_OPTIONS;
  delete environment.VSCODE_INSPECTOR_OPTIONS;
  return environment;
}

/** The port a debugger waits for: the setting's, else the one `.vscode/launch.json` gives the extension host; 0 = none. */
export function debuggerPort(setting: number, host: NodeJS.ProcessEnv): number {
  if (setting > 0) return setting;
  const port = Number(host.PROMPT_LOUPE_INSPECT_ENGINE ?? 0);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}
