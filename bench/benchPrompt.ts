/** The prompt that is measured: ordinary instructions, cut to an exact number of tokens. */
import type { Tokenizer } from '../src/model/model.ts';

const text = `You are a careful assistant for a small museum. Visitors write to you with questions about the collection, and you answer
from the notes below and from nothing else. If the notes do not say it, you say so.

Notes: The museum opened in 1921 in a former salt store beside the harbour. Its oldest piece is a bronze lamp, found in 1874
by a fisherman who had gone out to look for his anchor. The lamp was lent to the capital for forty years and came back in 1989
with a new base of oak. The second floor shows maps of the coast, drawn between 1640 and 1702, and a clock that still runs when
somebody winds it on Mondays. The garden is closed in winter because the steps freeze. Children pay nothing, students pay half,
and the ticket is good for two days. The library on the third floor may be used by anyone who asks for the key at the desk, and
the key must be back before five. In 2004 a storm broke the glass roof; the new one is lower and lets in less light, so the
watercolours are back in the hall for the first time in a century. The harbour can be seen from the eastern window.

Question: A visitor wants to know who found the lamp, and where it was before it came back. Answer in one short sentence.

Further notes, for guides only: The salt store was built in 1790 by two brothers who fell out over the colour of its door, which is why one half
is green. Salt was carried up from the boats by a wooden crane; its wheel hangs over the stairs, and people who walked inside it to
turn it were paid by the hundredweight. In the cold winter of 1929 the harbour froze and the post came over the ice on a sledge, which
stands beside the cloakroom and must not be sat upon. The bronze lamp burned whale oil; the dark ring inside it was tested in 1994 and
found to be older than the lamp itself. The clock was a gift of a pilot's widow, who asked that it never be sold and that nobody oil it.
Of the maps, eleven are copies: the originals lie in a bank and are shown on the first Sunday of May. School classes come on Tuesdays and
Thursdays, at most thirty children at a time, with one grown-up for every ten. The shop sells postcards, a guide in four languages and
honey from the garden's three hives. Dogs wait outside, where there is a ring in the wall and a bowl of water. The lift carries four people.`;

export interface BenchPrompt {
  readonly text: string;
  readonly tokens: Int32Array;
}

/** @param variation a word put in front, so that no cache knows the prompt */
export async function benchPrompt(tokenizer: Tokenizer, length: number, variation = ''): Promise<BenchPrompt> {
  const whole = variation + text;
  const { tokens } = await tokenizer.encode(whole);
  const last = tokens[length - 1];
  if (last === undefined) throw new Error(`the benchmark's text has only ${tokens.length} tokens`);
  const cut = whole.slice(0, last.end);
  const again = await tokenizer.encode(cut);
  return { text: cut, tokens: Int32Array.from(again.tokens, ({ id }) => id) };
}
