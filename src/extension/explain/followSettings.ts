/** A changed setting holds for the documents that are explained already too; no run is started by it. */
import * as vscode from 'vscode';
import { onSettingChange, readSettings } from '../settings.ts';
import type { DocumentSession } from './session.ts';
import type { SessionStore } from './sessionStore.ts';

export function followSettings(sessions: SessionStore): vscode.Disposable {
  const forAll = (change: (session: DocumentSession, settings: ReturnType<typeof readSettings>) => void) => () => {
    for (const session of sessions.all()) change(session, readSettings(vscode.Uri.parse(session.uri)));
  };
  return vscode.Disposable.from(
    onSettingChange(
      ['granularity'],
      forAll((session, { granularity }) => session.setGranularity(granularity)),
    ),
    onSettingChange(
      ['showTemplateTokens'],
      forAll((session, settings) => session.setShowHidden(settings.showTemplateTokens)),
    ),
    onSettingChange(
      ['method'],
      forAll((session, { method }) => session.choose({ method })),
    ),
    onSettingChange(
      ['promptMode'],
      forAll((session, { promptMode }) => session.choose({ mode: promptMode })),
    ),
  );
}
