/** A PNG of an explanation: the engine's SVG, drawn by the panel, which is a browser; written by the editor. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type * as vscode from 'vscode';
import { outputUnwritable } from '../../shared/errorCatalog.ts';
import type { Explanation } from '../../shared/explanation.ts';
import type { EngineService } from '../engineService.ts';
import { t } from '../localise.ts';
import { writeWhole } from './writeWhole.ts';

/** Draws an SVG as the bytes of a PNG file; null when it cannot be drawn. */
export type DrawPicture = (svg: string) => Promise<Uint8Array | null>;

/** Whole or not there. @throws E_OUTPUT_UNWRITABLE */
export async function exportPicture(
  engine: Pick<EngineService, 'export'>,
  draw: DrawPicture,
  explanation: Explanation,
  uri: vscode.Uri,
): Promise<void> {
  const bytes = await draw(await svgOf(engine, explanation));
  if (bytes === null) throw outputUnwritable(uri.fsPath, 'the Explain panel could not draw the picture');
  await writeWhole(uri, bytes);
}

async function svgOf(engine: Pick<EngineService, 'export'>, explanation: Explanation): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'prompt-loupe-'));
  try {
    const out = path.join(folder, 'explanation.svg');
    await engine.export({ explanation, format: 'svg', out }, { title: t('Export the explanation') });
    return await readFile(out, 'utf8');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
