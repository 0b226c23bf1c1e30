/** An edit of the prompt's text as edits of the document it was read from. Nothing here knows the editor. */
import { editUnfit } from '../../shared/toolErrors.ts';
import type { SourceSegment } from '../../shared/tokens.ts';
import type { Translate } from '../translate.ts';

export interface TextEdit {
  /** UTF-16 offsets, half-open. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Offsets of the prompt's text → offsets of the document, for replacements that do not overlap. Each must lie in one run that stands
 * verbatim in the document; an insertion may stand at either end of one.
 * @throws E_EDIT_UNFIT
 */
export function documentEdits(
  edits: readonly TextEdit[],
  promptText: string,
  sourceMap: readonly SourceSegment[],
  documentText: string,
  t: Translate,
): TextEdit[] {
  return edits.map(({ start, end, text }) => {
    const segment = sourceMap.find((each) => each.start <= start && end <= each.end);
    const mapped = segment === undefined ? null : segment.documentStart + start - segment.start;
    const removed = promptText.slice(start, end);
    if (mapped === null || documentText.slice(mapped, mapped + removed.length) !== removed) {
      throw editUnfit(
        t('“{0}” does not stand in the document as the model reads it', shortened(removed)),
        t('make the edit by hand'),
      );
    }
    return { start: mapped, end: mapped + removed.length, text };
  });
}

function shortened(text: string): string {
  const characters = [...text];
  return characters.length > 40 ? `${characters.slice(0, 40).join('')}…` : text;
}
