/** Asking a server about every token would be a request a word; control tokens are spelled in brackets. */
export const bracketed = /^\s*[<[].+[>\]]\s*$/su;
