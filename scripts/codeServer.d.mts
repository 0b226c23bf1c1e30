export interface CodeServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly logFile: string;
  stop(): Promise<void>;
}
export function startCodeServer(options: {
  node: string;
  entry: string;
  dataFolder: string;
  extensionFolder?: string;
  vsix?: string;
  folder: string;
  testsFile?: string;
  settings?: Record<string, unknown>;
  env?: Record<string, string>;
}): Promise<CodeServer>;
