export interface EditorTools {
  readonly node: string;
  readonly entry: string;
  readonly chromium: string | null;
}
export function setupVscode(options: { browser: boolean; log?: (line: string) => void }): Promise<EditorTools>;
