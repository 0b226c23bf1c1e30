/** Saves what a tool found: all of it as JSON, or the numbers of one block as CSV. */
import * as vscode from 'vscode';
import { blockCsv } from '../../shared/inspection/blockCsv.ts';
import type { ToolResult } from '../../shared/protocol/tools.ts';
import { toJson } from '../../shared/toJson.ts';
import { saySaved } from '../export/saySaved.ts';
import { writeWhole } from '../export/writeWhole.ts';
import { t } from '../localise.ts';

/**
 * `block`: null = the whole, as the command line's `--json` prints it. Null when the user leaves or the block has no numbers.
 * @throws E_NUMERIC, E_OUTPUT_UNWRITABLE
 */
export async function exportResult(result: ToolResult, block: number | null, source: vscode.Uri): Promise<vscode.Uri | null> {
  const text = contents(result, block);
  if (text === null) return null;
  const ending = block === null ? 'json' : 'csv';
  const name = block === null ? result.tool : `${result.tool}.${block + 1}`;
  const uri = await vscode.window.showSaveDialog({
    title: t('Export the result'),
    filters: { [ending.toUpperCase()]: [ending] },
    defaultUri: suggestedUri(source, `${name}.${ending}`),
  });
  if (uri === undefined) return null;
  await writeWhole(uri, new TextEncoder().encode(text));
  saySaved(uri);
  return uri;
}

function contents({ data, blocks, tokens }: ToolResult, index: number | null): string | null {
  if (index === null) return `${toJson(data)}\n`;
  const block = blocks[index];
  return block === undefined ? null : blockCsv(block, tokens);
}

/** Beside the prompt when that is a file, else in the first folder of the workspace. */
function suggestedUri(source: vscode.Uri, name: string): vscode.Uri {
  if (source.scheme === 'file') return source.with({ path: `${source.path}.${name}` });
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return folder === undefined ? vscode.Uri.file(name) : vscode.Uri.joinPath(folder, name);
}
