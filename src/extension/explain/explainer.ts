/** Runs explanations: from a document and the user's choices to a session that holds the result, or a clear error. */
import * as vscode from 'vscode';
import { cancelled, documentClosed } from '../../shared/errorCatalog.ts';
import { toLoupeError } from '../../shared/errors.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { EngineService } from '../engineService.ts';
import type { HistoryStore } from '../history/historyStore.ts';
import { t } from '../localise.ts';
import type { ModelLoader } from '../models/modelLoader.ts';
import { withDelayedProgress } from '../progress.ts';
import { readSettings } from '../settings.ts';
import { errorText } from '../errorMessage.ts';
import { logError } from '../log.ts';
import { showError } from '../showError.ts';
import { askVariables } from './askVariables.ts';
import { agreeTo } from './methodAgreement.ts';
import { type MethodCatalog, usualUnits } from './methodCatalog.ts';
import { methodParameters } from './methodParameters.ts';
import { missingVariables } from './missingVariables.ts';
import { phaseText } from './phaseText.ts';
import { fileName, promptOf } from './promptOf.ts';
import type { Choices, DocumentSession, Run } from './session.ts';
import type { SessionStore } from './sessionStore.ts';
import type { ActiveDocument } from './activeDocument.ts';

export class Explainer {
  constructor(
    private readonly engine: EngineService,
    private readonly models: ModelLoader,
    private readonly sessions: SessionStore,
    private readonly active: ActiveDocument,
    private readonly methods: MethodCatalog,
    private readonly history: Pick<HistoryStore, 'add'>,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** The session of a document, with the settings as its first choices. */
  session(document: vscode.TextDocument): DocumentSession {
    return this.sessions.open(document.uri.toString(), () => {
      const { method, promptMode, granularity, showTemplateTokens } = readSettings(document.uri);
      return {
        method,
        target: { kind: 'next' },
        mode: promptMode,
        granularity,
        showHidden: showTemplateTokens,
        selection: null,
        variables: {},
      };
    });
  }

  /**
   * Explains a document; a run of the same document that is under way is cancelled, one of another document is waited for.
   * Errors reach the user here; the result is null for them and for a run that was cancelled.
   */
  async explain(document: vscode.TextDocument, changes: Partial<Choices> = {}): Promise<Explanation | null> {
    const session = this.session(document);
    const { method } = session.choices;
    session.choose(changes);
    this.active.follow(session.uri);
    for (;;) {
      const run = session.begin(promptOf(document, session.choices));
      try {
        return await this.run(session, run, method);
      } catch (thrown) {
        const missing = missingVariables(thrown);
        if (missing !== null && session.isCurrent(run)) {
          const given = await askVariables(missing);
          if (given !== null && session.isCurrent(run)) {
            session.choices.variables = { ...session.choices.variables, ...given };
            continue;
          }
          session.fail(run, cancelled());
          return null;
        }
        this.fail(session, run, thrown);
        return null;
      }
    }
  }

  /**
   * Asks again what is shown, with every measure of faithfulness; the picture and what is compared with it stay. Does nothing while a run
   * is under way. Errors reach the user here.
   */
  async checkFully(session: DocumentSession): Promise<void> {
    const run = session.beginCheck();
    if (run === null) return;
    try {
      await this.run(session, run, session.choices.method);
    } catch (thrown) {
      this.fail(session, run, thrown);
    }
  }

  /** `before`: the method to go back to when the user does not agree to what the chosen one does. */
  private async run(session: DocumentSession, run: Run, before: string): Promise<Explanation> {
    const { question, isCheck, controller } = run;
    const { prompt, method, target, granularity } = question;
    const settings = readSettings(vscode.Uri.parse(session.uri));
    const title = t('Explain {0}', fileName(session.uri));
    this.log.debug(`explain ${session.uri} with ${method}, target ${target.kind}`);
    const explanation = await withDelayedProgress(
      (options, task) => vscode.window.withProgress(options, task),
      { location: vscode.ProgressLocation.Notification, title, cancellable: true },
      controller,
      async (report) => {
        const onProgress = (phase: string, done: number, total: number) => {
          const text = phaseText(phase, t);
          session.report(run, text, done, total);
          report(text, done, total);
        };
        const hooks = {
          signal: controller.signal,
          title,
          onProgress: (p: { phase: string; done: number; total: number }) => onProgress(p.phase, p.done, p.total),
        };
        await this.models.ensureLoaded(hooks);
        const methods = await this.methods.read(session.view?.units.length ?? usualUnits, hooks);
        const description = methods.find(({ id }) => id === method);
        if (!(await agreeTo(description))) {
          session.choose({ method: before });
          throw cancelled();
        }
        return this.engine.explain(
          {
            prompt,
            method,
            // A method chosen for this prompt is meant; the one of the settings may be the default.
            ...(method === settings.method ? { mayFallBack: true } : {}),
            parameters: methodParameters(description, settings),
            agreed: readSettings().agreedMethods,
            target,
            granularity,
            maxTokens: settings.maxTokens,
            seed: settings.seed,
            faithfulness: isCheck ? 'full' : 'cheap',
            // The picture is there already; only what is known of it grows.
            progressive: !isCheck,
          },
          { ...hooks, onPartial: (partial) => session.accept(run, partial.explanation, partial.stage) },
        );
      },
    );
    if (!session.accept(run, explanation, 'final')) throw cancelled();
    if (settings.history) {
      const entry = { time: Date.now(), prompt, target, explanation };
      this.history.add(entry).catch((thrown: unknown) => logError(this.log, thrown));
    }
    // The picker's costs are now known for this prompt; the result does not depend on them.
    this.methods.read(explanation.units.length).catch((thrown: unknown) => logError(this.log, thrown));
    return explanation;
  }

  private fail(session: DocumentSession, run: Run, thrown: unknown): void {
    if (session.isClosed) {
      const dropped = logError(this.log, documentClosed(fileName(session.uri)));
      void vscode.window.showInformationMessage(errorText(dropped));
      return;
    }
    const error = toLoupeError(thrown);
    // A run that a newer one has overtaken is no news.
    if (session.fail(run, error)) showError(this.log, error);
  }
}
