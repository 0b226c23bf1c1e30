/** The document that panel, views and status bar follow: the last active one that was explained. */
import * as vscode from 'vscode';
import type { DocumentSession } from './session.ts';
import type { SessionStore } from './sessionStore.ts';

export class ActiveDocument implements vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<DocumentSession | undefined>();
  /** Told when another document is followed and after every change of the followed one. */
  readonly onChange = this.emitter.event;
  private uri: string | null = null;
  private readonly disposables: vscode.Disposable[];

  constructor(private readonly sessions: SessionStore) {
    this.disposables = [
      this.emitter,
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        const uri = editor?.document.uri.toString();
        if (uri !== undefined && uri !== this.uri && sessions.get(uri) !== undefined) this.follow(uri);
      }),
      new vscode.Disposable(
        sessions.onChange((session) => {
          if (session.uri === this.uri) this.emitter.fire(this.session);
        }),
      ),
    ];
  }

  get session(): DocumentSession | undefined {
    return this.uri === null ? undefined : this.sessions.get(this.uri);
  }

  follow(uri: string): void {
    this.uri = uri;
    this.emitter.fire(this.session);
  }

  /** An editor that shows the followed document, if one is visible. */
  get editor(): vscode.TextEditor | undefined {
    return vscode.window.visibleTextEditors.find((editor) => editor.document.uri.toString() === this.uri);
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }
}
