/** How many colours to use: an explicit flag, then NO_COLOR, then what the stream can show. */
import { supportsColor, type ColorSupportLevel } from 'chalk';

export interface ColourRequest {
  /** `--color` / `--no-color`; undefined when neither was given. */
  readonly flag: boolean | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
}

/** 0 none, 1 = 16 colours, 2 = 256, 3 = truecolor. */
export function colourLevel({ flag, environment, isTerminal }: ColourRequest): ColorSupportLevel {
  if (flag === false) return 0;
  // no-color.org: present and not empty, whatever the value.
  if (flag === undefined && environment['NO_COLOR']) return 0;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forcedLevel(forced);
  const detected = isTerminal && supportsColor !== false ? supportsColor.level : 0;
  return flag === true ? maximum(detected, environment['COLORTERM'] === 'truecolor' ? 3 : 1) : detected;
}

function forcedLevel(value: string): ColorSupportLevel {
  if (value === '0' || value === 'false') return 0;
  if (value === '2' || value === '3') return Number(value) as ColorSupportLevel;
  return 1;
}

function maximum(a: ColorSupportLevel, b: ColorSupportLevel): ColorSupportLevel {
  return a > b ? a : b;
}
