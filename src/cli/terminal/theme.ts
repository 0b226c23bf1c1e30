/**
 * How the 11 palette steps look with each number of colours. Orange raises the target, blue lowers it (told apart with
 * any colour vision); a lowering word is underlined as well, so that the sign shows without colour.
 */
import { Chalk, type ChalkInstance, type ColorSupportLevel } from 'chalk';
import type { PaletteStep } from '../../shared/colourScale.ts';

type Paint = (text: string) => string;

export interface Theme {
  readonly level: ColorSupportLevel;
  readonly bold: Paint;
  readonly dim: Paint;
  readonly warning: Paint;
  readonly good: Paint;
  /** The tint of one palette step; without colours the identity. */
  readonly step: (step: PaletteStep) => Paint;
}

// Index = |step|; foreground black up to the middle of the scale keeps a contrast above 4.5.
const raisingHex = ['', '#fde0c5', '#fbc38d', '#f59e4c', '#e07a1f', '#b85600'];
const loweringHex = ['', '#d3e5f5', '#a6cbea', '#6fabdb', '#3c86c4', '#1b5e9b'];
const raising256 = [0, 230, 223, 215, 208, 166];
const lowering256 = [0, 195, 153, 117, 74, 25];

const identity: Paint = (text) => text;

export function createTheme(level: ColorSupportLevel): Theme {
  const chalk = new Chalk({ level });
  const steps = new Map<PaletteStep, Paint>();
  return {
    level,
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    warning: (text) => chalk.yellow(text),
    good: (text) => chalk.green(text),
    step: (step) => {
      // One function object per step: the line painter joins neighbours by identity.
      const known = steps.get(step);
      if (known !== undefined) return known;
      const paint = stepPaint(chalk, level, step);
      steps.set(step, paint);
      return paint;
    },
  };
}

function stepPaint(chalk: ChalkInstance, level: ColorSupportLevel, step: PaletteStep): Paint {
  const magnitude = Math.abs(step);
  if (level === 0 || magnitude === 0) return identity;
  const raises = step > 0;
  const style = raises ? chalk : chalk.underline;
  if (level === 1) return basicPaint(style, raises, magnitude);
  const ink = magnitude === 5 ? style.whiteBright : style.black;
  if (level === 2) return (text) => ink.bgAnsi256((raises ? raising256 : lowering256)[magnitude] ?? 0)(text);
  return (text) => ink.bgHex((raises ? raisingHex : loweringHex)[magnitude] ?? '')(text);
}

/** Sixteen colours have no shades: coloured letters, then bold ones, then a coloured ground. */
function basicPaint(style: ChalkInstance, raises: boolean, magnitude: number): Paint {
  const ink = raises ? style.yellow : style.cyan;
  if (magnitude <= 2) return (text) => ink(text);
  if (magnitude <= 3) return (text) => ink.bold(text);
  const ground = raises ? style.bgYellow.black : style.bgCyan.black;
  return magnitude === 4 ? (text) => ground(text) : (text) => ground.bold(text);
}
