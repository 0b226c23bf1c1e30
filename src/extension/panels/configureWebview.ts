import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { webviewHtml } from './webviewHtml.ts';

/** Gives a webview its page: scripts on, and nothing readable but the bundled scripts and the icons. */
export function configureWebview(
  webview: vscode.Webview,
  extensionUri: vscode.Uri,
  name: 'explain' | 'attention' | 'inside',
  title: string,
): void {
  const folder = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
  const style = vscode.Uri.joinPath(folder, `${name}.css`);
  webview.options = {
    enableScripts: true,
    enableForms: false,
    localResourceRoots: [folder, vscode.Uri.joinPath(extensionUri, 'media')],
  };
  webview.html = webviewHtml({
    title,
    language: vscode.env.language,
    cspSource: webview.cspSource,
    scriptUri: webview.asWebviewUri(vscode.Uri.joinPath(folder, `${name}.js`)).toString(),
    styleUri: existsSync(style.fsPath) ? webview.asWebviewUri(style).toString() : null,
  });
}
