/** Chat templates of the kinds that models ship, as plain functions; `chatTemplates.test.ts` runs real Jinja. */
import type { RenderChat } from '../../src/prompt/readPrompt.ts';

type Messages = Parameters<RenderChat>[0];

function template(render: (messages: Messages) => string): RenderChat {
  return (messages) => Promise.resolve(render(messages));
}

const turn = (role: string, content: string) => `<|im_start|>${role}\n${content}<|im_end|>\n`;

/** Contents exactly as they are. */
export const exact = template((messages) => `${messages.map((m) => turn(m.role, m.content)).join('')}<|im_start|>assistant\n`);
/** Contents trimmed, as Llama 3 does. */
export const trimming = template(
  (messages) => `${messages.map((m) => turn(m.role, m.content.trim())).join('')}<|im_start|>assistant\n`,
);
/** The system message is written before the first user message, as Gemma and Mistral do. */
export const moving = template((messages) => {
  const system = messages.find((m) => m.role === 'system')?.content ?? '';
  const rest = messages.filter((m) => m.role !== 'system');
  return rest
    .map((m, i) => `[INST] ${i === 0 && system !== '' ? `${system.trim()}\n\n` : ''}${m.content.trim()} [/INST]`)
    .join('');
});
/** The last message is repeated at the end. */
export const repeating = template(
  (messages) => `${messages.map((m) => m.content).join('\n---\n')}\nAgain: ${messages.at(-1)?.content ?? ''}\n`,
);
/** System messages are left out. */
export const dropping = template((messages) =>
  messages
    .filter((m) => m.role !== 'system')
    .map((m) => turn(m.role, m.content))
    .join(''),
);
/** Contents are rewritten. */
export const shouting = template((messages) => messages.map((m) => turn(m.role, m.content.toUpperCase())).join(''));
/** Only the user's words are rewritten. */
export const partlyShouting = template((messages) =>
  messages.map((m) => turn(m.role, m.role === 'user' ? m.content.toUpperCase() : m.content)).join(''),
);
/** Thoughts before `</think>` are cut from an assistant's message, as reasoning models do. */
export const cutting = template((messages) =>
  messages
    .map((m) => turn(m.role, m.role === 'assistant' ? (m.content.split('</think>').at(-1) ?? '').trim() : m.content))
    .join(''),
);
