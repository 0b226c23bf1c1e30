/** Tokens in a row, each in quotes; a space that belongs to a token is no place to break the line at. */
export function tokenList(pieces: readonly string[]): string {
  return pieces.map((piece) => JSON.stringify(piece).replaceAll(' ', '\u00a0')).join(' ');
}
