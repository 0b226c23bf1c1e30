/** The objects and arrays of JSON that stand somewhere in a text, outermost first come; what is cut off or broken is left away. */
export function jsonInText(text: string): unknown[] {
  const found: unknown[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '{' && text[at] !== '[') continue;
    const end = closingPlace(text, at);
    if (end === null) continue;
    try {
      found.push(JSON.parse(text.slice(at, end + 1)));
      at = end;
    } catch {
      // A bracket of plain text: what is inside may still be JSON.
    }
  }
  return found;
}

/** Where the bracket at `start` closes, brackets inside strings not counting. */
function closingPlace(text: string, start: number): number | null {
  let depth = 0;
  let isInString = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (isInString) {
      if (character === '\\') at++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      depth--;
      if (depth === 0) return at;
    }
  }
  return null;
}
