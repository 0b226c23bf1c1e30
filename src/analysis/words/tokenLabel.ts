/** A token in a table: as it is written, but in quotes where nothing of it would be seen. */
export function tokenLabel(piece: string | undefined): string {
  return piece === undefined || piece.trim() === '' ? JSON.stringify(piece ?? '') : piece;
}
