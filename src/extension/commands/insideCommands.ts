/** Commands that look inside the model. */
import type { ActiveDocument } from '../explain/activeDocument.ts';
import { askTool } from '../inside/askTool.ts';
import type { Inside } from '../inside/inside.ts';
import { promptPlace, sayNothingOpen } from './promptPlace.ts';
import type { CommandHandlers } from './registerCommands.ts';

type InsideCommands = Pick<CommandHandlers, 'lookInside' | 'layers'>;

export function insideCommands(inside: Inside, active: ActiveDocument): InsideCommands {
  const look = async (argument: unknown, wanted: string | null) => {
    const place = await promptPlace(argument, active);
    if (place === null) return sayNothingOpen();
    const choices = await inside.tools();
    const named = choices.find(({ id }) => id === wanted);
    const tool = named ?? (await askTool(choices));
    return tool === null ? null : inside.open(tool, place.document, place.selection);
  };
  return {
    /** A tool's id in place of the document chooses it without asking. */
    lookInside: (argument) => look(argument, typeof argument === 'string' ? argument : null),
    layers: (argument) => look(argument, 'lens'),
  };
}
