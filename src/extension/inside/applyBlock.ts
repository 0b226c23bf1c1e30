/** Writes an edit that a tool proposed into the document. */
import * as vscode from 'vscode';
import { editUnfit } from '../../shared/toolErrors.ts';
import { t } from '../localise.ts';
import { documentEdits } from './documentEdits.ts';
import type { InsideRun } from './insideRun.ts';

/** @throws E_EDIT_UNFIT: the document changed since the run, or the text does not stand in it as the model reads it. */
export async function applyBlock(run: InsideRun | null, index: number): Promise<void> {
  const block = run?.result?.blocks[index];
  if (run?.result == null || block?.kind !== 'edit') return;
  const { document, result } = run;
  if (run.isStale) throw editUnfit(t('the document changed since the tool ran'), t('run the tool again'));
  const mapped = documentEdits(block.edits, result.promptText, result.sourceMap, document.getText(), t);
  const edit = new vscode.WorkspaceEdit();
  for (const { start, end, text } of mapped)
    edit.replace(document.uri, new vscode.Range(document.positionAt(start), document.positionAt(end)), text);
  if (!(await vscode.workspace.applyEdit(edit))) throw editUnfit(t('the editor refused it'), t('make the edit by hand'));
}
