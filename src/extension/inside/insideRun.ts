/** One run of a tool: asking the engine, and following the document meanwhile and after. */
import type * as vscode from 'vscode';
import { cancelled } from '../../shared/errorCatalog.ts';
import type { ToolParameters, ToolRequest, ToolResult } from '../../shared/protocol/tools.ts';
import type { TextRange } from '../../shared/tokens.ts';
import type { TargetSpec } from '../../shared/target.ts';
import type { EngineService } from '../engineService.ts';
import { askVariables } from '../explain/askVariables.ts';
import type { Explainer } from '../explain/explainer.ts';
import { missingVariables } from '../explain/missingVariables.ts';
import { fileName, promptOf } from '../explain/promptOf.ts';
import { t } from '../localise.ts';
import type { ModelLoader } from '../models/modelLoader.ts';
import { type Alignment, alignTokens, applyEdit, type TextChange } from '../overlay/alignment.ts';
import { attentionWeighting } from '../panels/attentionWeighting.ts';
import { readSettings } from '../settings.ts';

export interface InsideQuestion {
  readonly document: vscode.TextDocument;
  readonly selection: TextRange | null;
  readonly tool: string;
  readonly label: string;
  readonly parameters: ToolParameters;
  /** Null: as Explain has it. */
  readonly target: TargetSpec | null;
}

export class InsideRun {
  readonly controller = new AbortController();
  readonly uri: string;
  /** What the document read when the run began. */
  private readonly text: string;
  private readonly edits: (readonly TextChange[])[] = [];
  private pristine: Alignment | null = null;
  result: ToolResult | null = null;
  /** Where the prompt's tokens stand now; null before the result. */
  alignment: Alignment | null = null;
  isStale = false;

  constructor(private readonly question: InsideQuestion) {
    this.uri = question.document.uri.toString();
    this.text = question.document.getText();
  }

  get document(): vscode.TextDocument {
    return this.question.document;
  }

  /** @throws LoupeError: what the engine says; E_CANCELLED when the user gives no value for a variable. */
  async ask(
    engine: EngineService,
    models: ModelLoader,
    explainer: Explainer,
    onProgress: (phase: string, done: number, total: number) => void,
  ): Promise<ToolResult> {
    const { document, tool, parameters, selection, label } = this.question;
    const session = explainer.session(document);
    const settings = readSettings(document.uri);
    const asked = this.question.target;
    const explained = asked === null ? attentionWeighting(session.explanation, session.target) : null;
    const hooks = {
      signal: this.controller.signal,
      title: t('{0}, {1}', label, fileName(this.uri)),
      onProgress: (p: { phase: string; done: number; total: number }) => onProgress(p.phase, p.done, p.total),
    };
    await models.ensureLoaded(hooks);
    for (;;) {
      const { mode, variables } = session.choices;
      const prompt = { ...promptOf(document, { mode, selection, variables }), text: this.text };
      const request: ToolRequest = {
        tool,
        parameters,
        prompt,
        target: asked ?? { kind: 'next' },
        maxTokens: settings.maxTokens,
        seed: settings.seed,
        ...explained,
      };
      try {
        return this.accept(await engine.tool(request, hooks));
      } catch (thrown) {
        const missing = missingVariables(thrown);
        if (missing === null) throw thrown;
        const given = await askVariables(missing);
        if (given === null) throw cancelled();
        session.choices.variables = { ...session.choices.variables, ...given };
      }
    }
  }

  /** Follows one edit of the document. */
  edit(changes: readonly TextChange[]): void {
    if (this.alignment === null || this.pristine === null) this.edits.push(changes);
    this.isStale = this.document.getText() !== this.text;
    if (this.alignment !== null) this.alignment = this.isStale ? applyEdit(this.alignment, changes) : this.pristine;
  }

  private accept(result: ToolResult): ToolResult {
    const { tokens, promptText, sourceMap } = result;
    const prompt = { mode: 'raw' as const, text: promptText, sections: [], sourceMap: [...sourceMap] };
    this.pristine = alignTokens({ tokens: [...tokens], prompt });
    this.alignment = this.edits.reduce<Alignment>(applyEdit, this.pristine);
    this.result = result;
    return result;
  }
}
