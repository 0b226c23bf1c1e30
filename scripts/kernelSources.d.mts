/** Hex SHA-256 of the C sources in a folder. */
export function sourceDigest(folder: string): string;
