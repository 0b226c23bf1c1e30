/** What to explain, as a user states it; `src/attribution/target.ts` resolves it against a model and a response. */

export type ScoreKind = 'logit' | 'logprob' | 'prob';

export type TargetSpec =
  /** The most likely next token. */
  | { readonly kind: 'next' }
  /** Summed log-probability of all generated tokens. */
  | { readonly kind: 'response' }
  /** Response tokens from…to, both included. */
  | { readonly kind: 'span'; readonly from: number; readonly to: number }
  /** Summed log-probability of a text the user gives, leading space included. */
  | { readonly kind: 'text'; readonly text: string }
  /** Logit of one token. */
  | { readonly kind: 'id'; readonly id: number }
  /** Logit of the first token of `a` minus that of `b`; `at` = how many response tokens stand before it (default 0). */
  | { readonly kind: 'contrast'; readonly a: string; readonly b: string; readonly at?: number }
  /** How undecided the model is about the next token, −Σ p log p, nats; `at` = how many response tokens stand before it (default 0). */
  | { readonly kind: 'entropy'; readonly at?: number }
  /** How far the next token's distribution is from that after another prompt: KL(this prompt ‖ other prompt), nats. */
  | { readonly kind: 'kl'; readonly prompt: string }
  /** A class of a classifier, by its name. */
  | { readonly kind: 'class'; readonly name: string }
  /** How similar a sentence encoder finds another text: the cosine of both embeddings. */
  | { readonly kind: 'similarity'; readonly text: string };
