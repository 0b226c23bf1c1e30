/** What the row of logits says, where it is not about the next token. */
export type ModelTask =
  /** Classes of the whole text: logit i belongs to `labels[i]`. */
  | { readonly kind: 'classify'; readonly labels: readonly string[] }
  /** The text's embedding of length 1 [D]: a similarity is a linear function of it. */
  | { readonly kind: 'embed'; readonly width: number };
