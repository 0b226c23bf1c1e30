/** The file a tree item stands for, from what the editor hands to a command. */
export function fileOfNode(argument: unknown): string | null {
  if (typeof argument !== 'object' || argument === null || !('model' in argument)) return null;
  const { model } = argument;
  if (typeof model !== 'object' || model === null || !('file' in model)) return null;
  return typeof model.file === 'string' ? model.file : null;
}
