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

/** What a picture is made from. */
interface Question extends Pick<Choices, 'method' | 'target' | 'granularity'> {
  readonly prompt: PromptSource;
}

/** One run on its way. */
export interface Run {
  readonly generation: number;
  readonly question: Question;
  /** Whether it asks again what is shown, to learn more about the same picture. */
  readonly isCheck: boolean;
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
  /** What the explanation was made from, as it was asked. */
  question: Question | null = null;
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
  /** Edits since the prompt that is shown was read. */
  private edits: (readonly TextChange[])[] = [];
  private closed = false;

  constructor(
    readonly uri: string,
    choices: Choices,
    private readonly changed: (session: DocumentSession) => void,
  ) {
    this.choices = choices;
  }

  /** The prompt the explanation is about. */
  get prompt(): PromptSource | null {
    return this.question?.prompt ?? null;
  }

  /** What it explains, as it was asked. */
  get target(): TargetSpec | null {
    return this.question?.target ?? null;
  }

  /** Starts a run of what is chosen, and cancels the one before it. */
  begin(prompt: PromptSource): Run {
    const { method, target, granularity } = this.choices;
    return this.start({ prompt, method, target, granularity }, false);
  }

  /** Asks again what is shown, whatever was chosen or typed since; null while it is not finished. */
  beginCheck(): Run | null {
    return this.question === null || this.run !== null || this.stage !== 'final' ? null : this.start(this.question, true);
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
      this.prompt === run.question.prompt &&
      this.alignment !== null &&
      this.explanation?.tokens.length === explanation.tokens.length &&
      this.explanation.prompt.text === explanation.prompt.text;
    if (!same) {
      this.pristine = alignTokens(explanation);
      this.alignment = run.edits.reduce<Alignment>(applyEdit, this.pristine);
      this.mirror = null;
    }
    // With another model or other settings by now, a check too draws another picture.
    const isSamePicture = run.isCheck && this.explanation !== null && samePicture(this.explanation, explanation);
    this.question = run.question;
    this.edits = run.edits;
    this.explanation = explanation;
    this.stage = stage;
    if (!isSamePicture) this.compared = null;
    if (stage === 'final') {
      if (!isSamePicture) this.previous = this.finished;
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
    for (const edits of new Set([this.edits, ...(this.run === null ? [] : [this.run.edits])])) edits.push(changes);
    this.choices.selection = this.choices.selection === null ? null : shiftRange(this.choices.selection, changes);
    if (this.alignment === null) return;
    const back = this.prompt !== null && this.pristine !== null && text() === this.prompt.text;
    if (back) this.edits.length = 0;
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
    this.question = null;
    this.edits = [];
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

  private start(question: Question, isCheck: boolean): Run {
    this.run?.controller.abort();
    this.generation += 1;
    const edits = isCheck ? this.edits : [];
    this.run = { generation: this.generation, question, isCheck, controller: new AbortController(), edits };
    this.failure = null;
    this.progress = null;
    this.notify();
    return this.run;
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

function samePicture(a: Explanation, b: Explanation): boolean {
  const parts = ({ model, method, target, scores }: Explanation) => JSON.stringify([model, method, target, scores]);
  return parts(a) === parts(b);
}
