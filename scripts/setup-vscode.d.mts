export interface EditorTools {
  readonly node: string;
  readonly entry: string;
  readonly chromium: string | null;
}
export function setupVscode(options: { browser: boolean; log?: (line: string) => void }): Promise<EditorTools>;
/** CHROMIUM_PATH, then where systems put it; null when there is none. */
export function systemChromium(): string | null;
