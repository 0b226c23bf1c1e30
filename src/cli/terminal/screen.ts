/** The terminal a result is printed on: its width and colours. */
import type { CommandContext } from '../commandContext.ts';
import { colourLevel } from './colourLevel.ts';
import { createTheme, type Theme } from './theme.ts';

export interface Screen {
  readonly theme: Theme;
  readonly columns: number;
  print(lines: readonly string[]): void;
}

const columnsWithoutTerminal = 100;

export function createScreen({ stdout, environment }: CommandContext, color: boolean | undefined): Screen {
  const isTerminal = stdout.isTTY === true;
  const columns = isTerminal ? stdout.columns : Number(environment['COLUMNS'] ?? columnsWithoutTerminal);
  return {
    theme: createTheme(colourLevel({ flag: color, environment, isTerminal })),
    columns: Number.isInteger(columns) && columns >= 20 ? Math.min(columns, 200) : columnsWithoutTerminal,
    print: (lines) => {
      stdout.write(`${lines.join('\n')}\n`);
    },
  };
}
