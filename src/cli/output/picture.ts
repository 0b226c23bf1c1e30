/** The picture of an explanation as a PNG file. */
import { readFile } from 'node:fs/promises';
import { writeAtomically } from '../../analysis/atomicFile.ts';
import { fontCoverage } from '../../analysis/export/fontCoverage.ts';
import { explanationToSvg } from '../../analysis/export/svg.ts';
import { outputUnwritable, usage } from '../../shared/errorCatalog.ts';
import type { Explanation } from '../../shared/explanation.ts';
import { pictureFiles } from '../installation.ts';
import { visibleText } from '../terminal/visibleText.ts';
import { rasterise } from './rasterise.ts';

/** Characters that a note names; the rest is counted. */
const namedCharacters = 10;

/** A font file the user names, checked before the work. @throws E_USAGE for one that cannot be read or is no font */
export async function readFont(file: string): Promise<Uint8Array> {
  try {
    const font = await readFile(file);
    fontCoverage(font);
    return font;
  } catch (error) {
    throw usage(`the font ${file} cannot be used: ${messageOf(error)}`, 'give a TrueType or OpenType file: .ttf, .otf or .ttc');
  }
}

/**
 * Draws and writes it, whole or not at all. Letters come from the font that is shipped, and from `font` where that has none.
 * @returns what is not as it should be in the picture: letters without a glyph, text too small to read
 * @throws E_OUTPUT_UNWRITABLE, E_DISK_FULL
 */
export async function writePicture(explanation: Explanation, out: string, font: Uint8Array | null): Promise<string[]> {
  const svg = explanationToSvg(explanation);
  const shipped = await readFile(pictureFiles.font);
  const fonts = font === null ? [shipped] : [shipped, font];
  const { bytes, scale } = await drawn(svg, fonts, out);
  await writeAtomically(out, (append) => append(bytes));
  return [
    ...missingNote(svg, fonts),
    ...(scale < 1 ? [`The prompt is long: the picture is drawn at ${scale.toFixed(2)} of its size.`] : []),
  ];
}

async function drawn(svg: string, fonts: readonly Uint8Array[], out: string): ReturnType<typeof rasterise> {
  try {
    return await rasterise(svg, await readFile(pictureFiles.renderer), fonts);
  } catch (error) {
    throw outputUnwritable(out, `the picture cannot be drawn: ${messageOf(error)}`);
  }
}

function missingNote(svg: string, fonts: readonly Uint8Array[]): string[] {
  const coverages = fonts.map(fontCoverage);
  // Spaces have no glyph to miss, marks that only change their neighbour's shape neither.
  const letters = new Set(Array.from(svg).filter((character) => !/[\s\p{Cc}\p{Cf}\p{Variation_Selector}]/u.test(character)));
  const missing = [...letters].filter((letter) => !coverages.some((hasGlyph) => hasGlyph(letter.codePointAt(0) ?? 0)));
  if (missing.length === 0) return [];
  const named = missing.slice(0, namedCharacters).map(visibleText).join(' ');
  const more = missing.length > namedCharacters ? ' …' : '';
  return [
    `${missing.length} characters of the picture have no glyph and are drawn as boxes: ${named}${more}. --font FILE gives a font that has them.`,
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
