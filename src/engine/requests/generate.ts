import { outputKind } from '../../shared/answerErrors.ts';
import type { GenerateTextRequest, GenerateTextResult } from '../../shared/protocol/engine.ts';
import type { RequestContext } from '../requestContext.ts';
import { tokenizePrompt } from './promptTokens.ts';

/** Continues the prompt, or names the class of a classifier; the same request gives the same text. @throws E_OUTPUT_KIND on an encoder */
export async function generateText(
  { model, signal, progress, token }: RequestContext,
  request: GenerateTextRequest,
): Promise<GenerateTextResult> {
  if (model.info.task?.kind === 'embed') throw outputKind('a text', 'it embeds texts and writes none', 'load a language model');
  const { ids } = await tokenizePrompt(model, request.prompt);
  const { maxTokens, temperature, seed, top } = request;
  let done = 0;
  progress('generating', 0, maxTokens);
  const { text, finish, tokens } = await model.generate(
    { tokens: ids, maxTokens, temperature, seed, top },
    {
      signal,
      onToken: (generated) => {
        progress('generating', ++done, maxTokens);
        token(generated.text);
      },
    },
  );
  return { text, finish, tokens };
}
