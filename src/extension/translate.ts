/** Shows a message in the user's language; `{0}` stands for the first argument. `vscode.l10n.t` in the editor. */
export type Translate = (message: string, ...args: (string | number)[]) => string;

/** English as written, for tests and for code that runs without an editor. */
export const inEnglish: Translate = (message, ...args) =>
  message.replace(/\{(\d+)\}/g, (whole, index: string) => String(args[Number(index)] ?? whole));
