/** Runs one of the tools that look inside the model. */
import { type Abilities, abilitiesOf, chooseTool, missingNeed, toolParameters } from '../../analysis/tools/chooseTool.ts';
import { tools } from '../../analysis/tools/registry.ts';
import type { ToolContext, ToolPrompt } from '../../analysis/tools/tool.ts';
import type { ResolvedTarget } from '../../attribution/target.ts';
import type { Model } from '../../model/model.ts';
import type { Warning } from '../../shared/explanation.ts';
import type { PromptSource } from '../../shared/protocol/engine.ts';
import { withoutControls } from '../../prompt/checkPromptText.ts';
import type { ToolDescription, ToolRequest, ToolResult } from '../../shared/protocol/tools.ts';
import type { RequestContext } from '../requestContext.ts';
import { toolStore } from '../toolStore.ts';
import { checkContext, type TokenizedPrompt, tokenizePrompt } from './promptTokens.ts';
import { respond } from './response.ts';
import { serverLogits } from './serverLogits.ts';
import { targetOnPrompt } from './targetOnPrompt.ts';

/** What the picker shows. Without a model in memory every tool counts as available. */
export function describeTools(can: Abilities | null): ToolDescription[] {
  return tools.map((tool) => {
    const missing = can === null ? undefined : missingNeed(tool, can);
    return {
      id: tool.id,
      family: tool.family,
      label: tool.label,
      question: tool.question,
      parameters: tool.parameters.map((parameter) => ({ ...parameter })),
      usesTarget: tool.usesTarget,
      available: missing === undefined,
      ...(missing === undefined ? {} : { missing }),
    };
  });
}

/**
 * Prompt → tokens → the tool. The same request gives the same bytes.
 * @throws E_TOOL_UNKNOWN, E_TOOL_UNSUPPORTED, E_TOOL_PARAMETER; as `tokenizePrompt` and `targetOnPrompt`; and as the tool
 */
export async function runTool(context: RequestContext, request: ToolRequest): Promise<ToolResult> {
  const { model, signal, progress } = context;
  const begun = performance.now();
  const tool = chooseTool(tools, request.tool, abilitiesOf(model.info));
  const parameters = toolParameters(tool, request.parameters);
  const prompt = await tokenizePrompt(model, request.prompt);
  let target: Promise<ResolvedTarget> | null = null;
  const ofTarget: Warning[] = [];
  const toolContext: ToolContext = {
    model,
    prompt,
    parameters,
    seed: request.seed,
    signal,
    progress,
    readPrompt: (text) => tokenizePrompt(model, otherText(request.prompt, text)),
    readText: (text) => tokenizePrompt(model, plainText(prompt.mode, request.prompt, text, model)),
    readMessages: (messages) => tokenizePrompt(model, conversation(messages, model)),
    store: toolStore(model.info),
    target: () =>
      (target ??= targetOnPrompt(context, prompt.ids, request).then((asked) => {
        const told = serverLogits(model, asked);
        ofTarget.push(...told.warnings);
        return told.target;
      })),
    generate: async (other: ToolPrompt, maxTokens = request.maxTokens) => {
      checkContext(model, other.ids.length);
      return (await respond(context, other.ids, { maxTokens, seed: request.seed })).response.text;
    },
  };
  const { data, blocks, forwardPasses, warnings = [] } = await tool.run(toolContext);
  return {
    tool: tool.id,
    label: tool.label,
    parameters,
    data,
    blocks,
    tokens: prompt.tokens,
    promptText: prompt.text,
    sourceMap: prompt.sourceMap,
    cost: { milliseconds: performance.now() - begun, forwardPasses },
    warnings: [...prompt.warnings, ...ofTarget, ...warnings],
  };
}

/** A selection is a place in the first document, not in the other text. */
function otherText({ format, mode, variables }: PromptSource, text: string): PromptSource {
  return { text, format, mode, ...(variables === undefined ? {} : { variables }) };
}

/** Text as it is, in a document of text; in one of messages a message alone, or, read raw, its content. */
function plainText(mode: TokenizedPrompt['mode'], source: PromptSource, text: string, model: Model): PromptSource {
  if (source.format === 'text' || source.format === 'markdown') return otherText(source, text);
  return mode === 'chat' ? conversation([{ role: 'user', content: text }], model) : { text, format: 'text', mode: 'raw' };
}

/** Messages may quote what the model wrote. */
function conversation(given: readonly { readonly role: string; readonly content: string }[], { info }: Model): PromptSource {
  const messages = given.map(({ role, content }) => ({ role, content: withoutControls(content) }));
  return info.can.chat
    ? { text: JSON.stringify(messages), format: 'messages-json', mode: 'chat' }
    : { text: messages.map(({ content }) => content).join('\n\n'), format: 'text', mode: 'raw' };
}
