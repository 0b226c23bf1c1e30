/** A model in native memory, as the parts of `src/llama` share it. Whoever made it frees it. */
import type { NativeFunctions, Pointer } from './functions.ts';

export interface NativeModel {
  readonly functions: NativeFunctions;
  readonly model: Pointer;
  readonly vocabulary: Pointer;
  /** Tokens of the vocabulary. */
  readonly vocabularySize: number;
}
