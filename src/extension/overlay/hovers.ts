/** Hovers over explained words. Token text is hostile: it only ever passes through `appendText`. */
import * as vscode from 'vscode';
import type { SessionStore } from '../explain/sessionStore.ts';
import type { MethodCatalog } from '../explain/methodCatalog.ts';
import { methodLabel } from '../explain/methodChoices.ts';
import { t, translateRendered } from '../localise.ts';
import { translateExplanation } from '../renderedTexts.ts';
import { entryAt } from './alignment.ts';
import { comparisonLines } from './comparisonLines.ts';
import { type HoverLine, hoverLines, shorten } from './hoverLines.ts';
import { isVisible, unitOfToken } from './overlayRanges.ts';

export function registerHovers(sessions: SessionStore, methods: MethodCatalog): vscode.Disposable {
  return vscode.languages.registerHoverProvider([{ scheme: '*' }], {
    provideHover: (document, position) => hoverAt(sessions, methods, document, position),
  });
}

function hoverAt(
  sessions: SessionStore,
  methods: MethodCatalog,
  document: vscode.TextDocument,
  position: vscode.Position,
): vscode.Hover | null {
  const session = sessions.get(document.uri.toString());
  const { view, alignment } = session ?? {};
  if (session === undefined || !view || !alignment) return null;
  const entry = entryAt(alignment, document.offsetAt(position));
  if (entry < 0) return null;
  const unit = unitOfToken(view)[alignment.token[entry] ?? -1] ?? -1;
  const kind = view.units[unit]?.kind;
  if (kind === undefined || !isVisible(kind, session.choices.showHidden)) return null;
  const stale = alignment.stale[entry] === 1;
  const range = new vscode.Range(
    document.positionAt(alignment.start[entry] ?? 0),
    document.positionAt(alignment.end[entry] ?? 0),
  );
  const { comparison } = session;
  if (comparison !== null) {
    return new vscode.Hover(markdownOf(comparisonLines(shorten(view.units[unit]?.label ?? ''), unit, comparison, t)), range);
  }
  const context = {
    stage: session.stage,
    stale,
    showHidden: session.choices.showHidden,
    method: methodLabel(methods.current, view.method.id, t),
  };
  return new vscode.Hover(markdownOf(hoverLines(translateExplanation(view, translateRendered), unit, context, t)), range);
}

function markdownOf(lines: readonly HoverLine[]): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  markdown.isTrusted = false;
  markdown.supportHtml = false;
  markdown.supportThemeIcons = false;
  lines.forEach((line, index) => {
    if (index > 0) markdown.appendMarkdown('\n\n');
    if (line.kind === 'warning') markdown.appendText(`⚠ ${line.text}`);
    else markdown.appendText(line.text);
  });
  return markdown;
}
