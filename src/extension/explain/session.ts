/** What the extension knows about one document: its explanation, how far that has come, and which words have changed since. */
import { type Comparison, differenceOf } from '../../shared/difference.ts';
import type { LoupeError } from '../../shared/errors.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { PartialStage, PromptMode, PromptSource } from '../../shared/protocol/engine.ts';
import type { TargetSpec } from '../../shared/target.ts';
import type { Granularity, TextRange } from '../../shared/tokens.ts';
import { type Alignment, alignTokens, applyEdit, type TextChange } from '../overlay/alignment.ts';
import { regroupExplanation } from './regroupExplanation.ts';
import { shiftRange } from './shiftRange.ts';

export type Stage = PartialStage | 'final';

/** What the user chose for this document; kept from one run to the next. */
export interface Choices {
  method: string;
  target: TargetSpec;
  mode: PromptMode;
  granularity: Granularity;
  showHidden: boolean;
  selection: TextRange | null;
  variables: Readonly<Record<string, string>>;
}

/** One run on its way. */
export interface Run {
  readonly generation: number;
  readonly prompt: PromptSource;
  readonly target: TargetSpec;
  readonly controller: AbortController;
  /** Edits made since the prompt was read, one entry an event. */
  readonly edits: (readonly TextChange[])[];
}

export interface Mirror {
  readonly token: number;
  readonly weights: Float32Array;
}

export class DocumentSession {
  choices: Choices;
  /** As the engine gave it. */
  explanation: Explanation | null = null;
  /** The same at the granularity the user looks at; panel, hovers and overlay all read this. */
  view: Explanation | null = null;
  stage: Stage = 'final';
  alignment: Alignment | null = null;
  /** The prompt the explanation is about. */
  prompt: PromptSource | null = null;
  /** What it explains, as it was asked. */
  target: TargetSpec | null = null;
  run: Run | null = null;
  failure: LoupeError | null = null;
  progress: { readonly phase: string; readonly done: number; readonly total: number } | null = null;
  /** Attention of one token, drawn in place of the scores. */
  mirror: Mirror | null = null;
  /** The explanation beside another one; its units are those of `view`. Drawn in place of the scores. */
  comparison: Comparison | null = null;
  /** The finished explanation of this document before the one that is shown. */
  previous: Explanation | null = null;
  private compared: { readonly other: Explanation; readonly nameA: string; readonly nameB: string } | null = null;
  private finished: Explanation | null = null;
  private generation = 0;
  private pristine: Alignment | null = null;
  private closed = false;

  constructor(
    readonly uri: string,
    choices: Choices,
    private readonly changed: (session: DocumentSession) => void,
  ) {
    this.choices = choices;
  }

  /** Starts a run and cancels the one before it. */
  begin(prompt: PromptSource): Run {
    this.run?.controller.abort();
    this.generation += 1;
    const { target } = this.choices;
    this.run = { generation: this.generation, prompt, target, controller: new AbortController(), edits: [] };
    this.failure = null;
    this.progress = null;
    this.notify();
    return this.run;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** Whether a run's results are still wanted. */
  isCurrent(run: Run): boolean {
    return !this.closed && this.run === run;
  }

  report(run: Run, phase: string, done: number, total: number): void {
    if (!this.isCurrent(run)) return;
    this.progress = { phase, done, total };
    this.notify();
  }

  /** Takes in a partial or the final result; one that a newer run or a closed document has overtaken is dropped. */
  accept(run: Run, explanation: Explanation, stage: Stage): boolean {
    if (!this.isCurrent(run)) return false;
    const same =
      this.prompt === run.prompt &&
      this.alignment !== null &&
      this.explanation?.tokens.length === explanation.tokens.length &&
      this.explanation.prompt.text === explanation.prompt.text;
    if (!same) {
      this.pristine = alignTokens(explanation);
      this.alignment = run.edits.reduce<Alignment>(applyEdit, this.pristine);
      this.mirror = null;
    }
    this.prompt = run.prompt;
    this.target = run.target;
    this.explanation = explanation;
    this.stage = stage;
    this.compared = null;
    if (stage === 'final') {
      this.previous = this.finished;
      this.finished = explanation;
    }
    this.regroup();
    if (stage === 'final') this.finish(run);
    else this.notify();
    return true;
  }

  /** Shows an explanation that is finished already, as if it had just been made; a run on its way is cancelled. */
  show(prompt: PromptSource, target: TargetSpec, explanation: Explanation): void {
    Object.assign(this.choices, {
      method: explanation.method.id,
      target,
      mode: prompt.mode,
      granularity: explanation.granularity,
      selection: prompt.selection ?? null,
      variables: prompt.variables ?? {},
    } satisfies Partial<Choices>);
    this.accept(this.begin(prompt), explanation, 'final');
  }

  fail(run: Run, failure: LoupeError): boolean {
    if (!this.isCurrent(run)) return false;
    this.failure = failure;
    this.finish(run);
    return true;
  }

  cancel(): void {
    this.run?.controller.abort();
  }

  /** Follows one edit event. `text` gives the document after it. */
  edit(changes: readonly TextChange[], text: () => string): void {
    if (changes.length === 0) return;
    this.run?.edits.push(changes);
    this.choices.selection = this.choices.selection === null ? null : shiftRange(this.choices.selection, changes);
    if (this.alignment === null) return;
    const back = this.prompt !== null && this.pristine !== null && text() === this.prompt.text;
    this.alignment = back ? this.pristine : applyEdit(this.alignment, changes);
    this.notify();
  }

  /** What the next run is asked with. */
  choose(changes: Partial<Choices>): void {
    Object.assign(this.choices, changes);
    this.notify();
  }

  setGranularity(granularity: Granularity): void {
    this.choices.granularity = granularity;
    this.regroup();
    this.notify();
  }

  setShowHidden(show: boolean): void {
    this.choices.showHidden = show;
    this.notify();
  }

  /** Draws how `shown` differs from `other`; false when another one is shown by now. */
  compareWith(shown: Explanation, other: Explanation, nameA: string, nameB: string): boolean {
    if (this.explanation !== shown) return false;
    this.compared = { other, nameA, nameB };
    this.mirror = null;
    this.regroup();
    this.notify();
    return true;
  }

  endComparison(): void {
    this.compared = null;
    this.regroup();
    this.notify();
  }

  setMirror(mirror: Mirror | null): void {
    if (this.mirror === null && mirror === null) return;
    this.mirror = mirror;
    this.notify();
  }

  /** Takes the explanation away; a run on its way is cancelled. */
  clear(): void {
    this.cancel();
    this.run = null;
    this.explanation = null;
    this.view = null;
    this.compared = null;
    this.comparison = null;
    this.alignment = null;
    this.pristine = null;
    this.prompt = null;
    this.target = null;
    this.mirror = null;
    this.failure = null;
    this.progress = null;
    this.notify();
  }

  /** The document was closed: nothing that still arrives is kept. */
  close(): void {
    this.closed = true;
    this.clear();
  }

  private finish(run: Run): void {
    if (this.run === run) this.run = null;
    this.progress = null;
    this.notify();
  }

  private regroup(): void {
    if (this.explanation === null) return;
    const { granularity } = this.choices;
    this.view = regroupExplanation(this.explanation, granularity);
    if (this.compared === null) this.comparison = null;
    else {
      const { other, ...names } = this.compared;
      this.comparison = { ...differenceOf(this.view, regroupExplanation(other, granularity)), ...names };
    }
  }

  private notify(): void {
    this.changed(this);
  }
}
