/** What the Explain panel's messages do. */
import * as vscode from 'vscode';
import type { ExplainPanelOut } from '../../shared/protocol/panel.ts';
import { askOtherText } from '../commands/askContrast.ts';
import type { EngineService } from '../engineService.ts';
import type { ActiveDocument } from '../explain/activeDocument.ts';
import type { Explainer } from '../explain/explainer.ts';
import type { Choices, DocumentSession } from '../explain/session.ts';
import { writeSetting } from '../settings.ts';
import type { Overlay } from '../overlay/overlay.ts';
import { exportExplanation } from '../export/exportExplanation.ts';
import type { DrawPicture } from '../export/exportPicture.ts';

export async function actOnPanel(
  message: ExplainPanelOut,
  active: ActiveDocument,
  explainer: Explainer,
  engine: EngineService,
  overlay: Overlay,
  draw: DrawPicture,
): Promise<void> {
  const { session } = active;
  if (session === undefined) return;
  const rerun = async (changes: Partial<Choices>) => {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(session.uri));
    await explainer.explain(document, changes);
  };
  switch (message.type) {
    case 'ready':
    case 'picture':
      return;
    case 'explainTarget':
      return rerun({ target: message.target });
    case 'askContrast': {
      const token = session.explanation?.response.tokens[message.at];
      const target = token === undefined ? null : await askOtherText(token.text, message.at);
      return target === null ? undefined : rerun({ target });
    }
    case 'setMethod':
      return rerun({ method: message.method });
    case 'setMode':
      return rerun({ mode: message.mode });
    case 'rerun':
      return rerun({});
    case 'checkFully':
      return explainer.checkFully(session);
    case 'setGranularity':
      session.setGranularity(message.granularity);
      return;
    case 'setShowHidden':
      session.setShowHidden(message.show);
      return;
    case 'setIntensity':
      overlay.previewIntensity(message.intensity);
      if (message.kept) await writeSetting('intensity', message.intensity);
      return;
    case 'revealUnit':
      return reveal(session, message.unit);
    case 'endComparison':
      session.endComparison();
      return;
    case 'cancel':
      session.cancel();
      return;
    case 'export':
      if (session.view !== null) await exportExplanation(engine, draw, session.view, message.format);
  }
}

/** Selects a unit's text in the editor, where it stands now. */
async function reveal(session: DocumentSession, unitIndex: number): Promise<void> {
  const { view, alignment } = session;
  const unit = view?.units[unitIndex];
  if (unit === undefined || alignment === null) return;
  const tokens = new Set(unit.tokens);
  let start = Number.POSITIVE_INFINITY;
  let end = -1;
  alignment.token.forEach((token, entry) => {
    if (!tokens.has(token)) return;
    start = Math.min(start, alignment.start[entry] ?? start);
    end = Math.max(end, alignment.end[entry] ?? end);
  });
  if (end < start) return;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(session.uri));
  const lead = /^\s*/.exec(document.getText().slice(start, end))?.[0].length ?? 0;
  const selection = new vscode.Range(document.positionAt(start + (lead < end - start ? lead : 0)), document.positionAt(end));
  const column = vscode.window.visibleTextEditors.find((editor) => editor.document === document)?.viewColumn;
  await vscode.window.showTextDocument(document, { selection, preserveFocus: true, viewColumn: column ?? vscode.ViewColumn.One });
}
