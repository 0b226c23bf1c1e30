/** What a legend says of scores that only say how much. */
export const unsignedLegend = 'matters, up or down (these scores have no sign)';

/** Orange raises the target, blue lowers it; told apart with any colour vision. Index = magnitude of the palette step. */
export const raisingColours = ['', '#fde0c5', '#fbc38d', '#f59e4c', '#e07a1f', '#b85600'] as const;
export const loweringColours = ['', '#d3e5f5', '#a6cbea', '#6fabdb', '#3c86c4', '#1b5e9b'] as const;

/** Ink on these grounds that keeps a contrast of at least 4.5. */
export function inkOn(magnitude: number): '#000000' | '#ffffff' {
  return magnitude >= 5 ? '#ffffff' : '#000000';
}
