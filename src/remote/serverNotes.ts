/** What a user must know of every model on a server; shown by `models inspect` and in the Models view. */
export function serverNotes(address: string): readonly string[] {
  return [
    'A model on a server: prompts and everything made of them are sent there.',
    'Nothing inside can be seen: methods that need forward passes alone run, and each changed prompt is one request.',
    'The server tells log-probabilities; they stand for logits, from which they differ by one number a row.',
    'The file’s digest, architecture and layers are not known; results do not say which file it was.',
    'The server reads in batches of its own choosing, so the last digits may differ from run to run.',
    ...(address.startsWith('http:') && !isLoopback(address) ? ['The connection is not encrypted.'] : []),
  ];
}

function isLoopback(address: string): boolean {
  return /^https?:\/\/(localhost|127\.[\d.]+|\[::1\])([:/]|$)/.test(address);
}
