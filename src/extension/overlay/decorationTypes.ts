/** The fixed decoration types of the overlay. Colours are contributed, so themes and users can change them. */
import * as vscode from 'vscode';
import type { OverlayStep } from './overlayRanges.ts';

export type DecorationKey = Exclude<OverlayStep, 0> | 'doubtful';

const signedMagnitudes = [1, 2, 3, 4, 5, -1, -2, -3, -4, -5] as const;

/** The sign shows without colour too: a solid line under what speaks for the target, a dashed one under what speaks against it. */
function tint(step: number): vscode.TextEditorDecorationType {
  const sign = step > 0 ? 'positive' : 'negative';
  const magnitude = Math.abs(step);
  const thickness = magnitude >= 4 ? 2 : 1;
  const colour = new vscode.ThemeColor(`promptLoupe.${sign}${magnitude}`);
  return vscode.window.createTextEditorDecorationType({
    backgroundColor: colour,
    textDecoration: `underline ${sign === 'positive' ? 'solid' : 'dashed'} ${thickness}px; text-underline-offset: 3px`,
    rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    ...(magnitude >= 4 ? { overviewRulerColor: colour, overviewRulerLane: vscode.OverviewRulerLane.Center } : {}),
  });
}

export function createDecorationTypes(): Map<DecorationKey, vscode.TextEditorDecorationType> {
  const types = new Map<DecorationKey, vscode.TextEditorDecorationType>();
  for (const step of signedMagnitudes) types.set(step, tint(step));
  types.set(
    'stale',
    vscode.window.createTextEditorDecorationType({
      fontStyle: 'italic',
      textDecoration: 'underline dotted 1px; text-underline-offset: 3px',
      backgroundColor: new vscode.ThemeColor('promptLoupe.stale'),
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    }),
  );
  types.set(
    'doubtful',
    vscode.window.createTextEditorDecorationType({
      border: '1px dotted',
      borderColor: new vscode.ThemeColor('promptLoupe.doubtfulBorder'),
      opacity: '0.75',
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
    }),
  );
  return types;
}
