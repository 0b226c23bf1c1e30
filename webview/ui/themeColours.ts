/** Theme colours as a canvas needs them. */

/** 0…255 each. */
interface Ink {
  readonly red: number;
  readonly green: number;
  readonly blue: number;
}

export interface CanvasColours {
  /** Of attention weights, and of what raises and what lowers the explained answer; opaque. */
  readonly inks: { readonly weight: Ink; readonly positive: Ink; readonly negative: Ink };
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly focus: string;
  readonly font: string;
}

/** Reads the variables the editor sets on the page; an unset one falls back to the element's own text colour. */
export function canvasColours(element: Element): CanvasColours {
  const style = getComputedStyle(element);
  const read = (...names: string[]) =>
    names.map((name) => style.getPropertyValue(name).trim()).find((value) => value !== '') ?? style.color;
  return {
    inks: {
      weight: components(read('--vscode-charts-blue', '--vscode-focusBorder')),
      positive: components(read('--vscode-promptLoupe-positive5', '--vscode-charts-blue', '--vscode-focusBorder')),
      negative: components(read('--vscode-promptLoupe-negative5', '--vscode-charts-orange', '--vscode-errorForeground')),
    },
    text: read('--vscode-foreground'),
    muted: read('--vscode-descriptionForeground'),
    line: read('--vscode-panel-border', '--vscode-contrastBorder'),
    focus: read('--vscode-focusBorder'),
    font: read('--vscode-font-family'),
  };
}

/** Any CSS colour as numbers, its opacity left away: the canvas itself is asked, so every notation works. */
function components(colour: string): Ink {
  const canvas = document.createElement('canvas');
  canvas.width = 1;
  canvas.height = 1;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) return { red: 0, green: 0, blue: 0 };
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return { red, green, blue };
}
