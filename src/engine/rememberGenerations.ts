import type { GenerateRequest, Generation, Model } from '../model/model.ts';

/**
 * The same model, which does not write the same response twice: explaining another word of an answer asks for that answer again.
 * Exact, because a generation depends on nothing but its request. The oldest is forgotten beyond `limit`.
 */
export function rememberGenerations(model: Model, limit: number): Model {
  const remembered = new Map<string, Generation>();
  return {
    ...model,
    async generate(request, options = {}) {
      const key = requestKey(request);
      const known = remembered.get(key);
      if (known !== undefined) {
        for (const token of known.tokens) options.onToken?.(token);
        return structuredClone(known);
      }
      const generation = await model.generate(request, options);
      remembered.set(key, structuredClone(generation));
      for (const oldest of remembered.keys()) {
        if (remembered.size <= limit) break;
        remembered.delete(oldest);
      }
      return generation;
    },
  };
}

function requestKey({ tokens, maxTokens, temperature, seed, top }: GenerateRequest): string {
  return JSON.stringify([maxTokens, temperature, seed, top, ...tokens]);
}
