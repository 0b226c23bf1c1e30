/** Saves an explanation where the user says: whole or not at all. The engine writes it; a PNG is drawn by the panel. */
import * as vscode from 'vscode';
import { outputUnwritable } from '../../shared/errorCatalog.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { ExportFormat } from '../../shared/protocol/engine.ts';
import type { EngineService } from '../engineService.ts';
import { t } from '../localise.ts';
import { type DrawPicture, exportPicture } from './exportPicture.ts';
import { saySaved } from './saySaved.ts';

type FileFormat = ExportFormat | 'png';

const formats: readonly FileFormat[] = ['json', 'html', 'svg', 'png', 'csv'];

/** Null when the user leaves. @throws E_DISK_FULL, E_OUTPUT_UNWRITABLE */
export async function exportExplanation(
  engine: Pick<EngineService, 'export'>,
  draw: DrawPicture,
  explanation: Explanation,
  format?: FileFormat,
): Promise<vscode.Uri | null> {
  const wanted = format ?? (await askFormat());
  if (wanted === null) return null;
  const uri = await vscode.window.showSaveDialog({
    title: t('Export the explanation'),
    filters: { [wanted.toUpperCase()]: [wanted] },
    defaultUri: suggestedUri(explanation, wanted),
  });
  if (uri === undefined) return null;
  if (wanted === 'png') await exportPicture(engine, draw, explanation, uri);
  else if (uri.scheme !== 'file') throw outputUnwritable(uri.toString(), 'it is not a file of the machine the engine runs on');
  else await engine.export({ explanation, format: wanted, out: uri.fsPath }, { title: t('Export the explanation') });
  saySaved(uri);
  return uri;
}

async function askFormat(): Promise<FileFormat | null> {
  const picked = await vscode.window.showQuickPick(
    formats.map((format) => ({ label: format.toUpperCase(), format })),
    { title: t('Export the explanation') },
  );
  return picked?.format ?? null;
}

/** Beside the prompt when that is a file, else in the first folder of the workspace. */
function suggestedUri(explanation: Explanation, format: FileFormat): vscode.Uri {
  const source = explanation.prompt.uri === undefined ? null : vscode.Uri.parse(explanation.prompt.uri);
  if (source?.scheme === 'file') return source.with({ path: `${source.path}.explanation.${format}` });
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const name = `explanation.${format}`;
  return folder === undefined ? vscode.Uri.file(name) : vscode.Uri.joinPath(folder, name);
}
