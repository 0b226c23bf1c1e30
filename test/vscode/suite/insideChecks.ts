/** Looking inside, in the extension host, on the bundled model. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { commandTable } from '../../../src/extension/commandTable.ts';
import type { ExtensionApi } from '../../../src/extension/extensionApi.ts';
import type { ToolResult } from '../../../src/shared/protocol/tools.ts';
import type { Check } from './runner.ts';
import { closeAll, openPrompt, until } from './testEditor.ts';

const prompt = 'The capital of France is';

const look = (tool: string) => vscode.commands.executeCommand<ToolResult | null>(commandTable.lookInside.id, tool);

export function insideChecks(api: ExtensionApi): readonly Check[] {
  return [
    { name: 'a tool looks inside, at the selection only, and a wrong prompt is refused', run: () => looksInside() },
    { name: 'the Inside panel starts, and another run of it overtakes the first', run: () => runOvertakes(api) },
    { name: 'a tool is cancelled, and the next one runs', run: () => toolCancelled(api) },
  ];
}

async function looksInside(): Promise<void> {
  const editor = await openPrompt(`Ignore this line.\n${prompt}`);
  editor.selection = new vscode.Selection(1, 0, 1, prompt.length);
  const result = await look('lens');
  assert.deepEqual([result?.tool, result?.blocks[0]?.kind, result?.promptText], ['lens', 'heat', prompt]);
  const [segment] = result?.sourceMap ?? [];
  assert.equal(segment?.documentStart, 'Ignore this line.\n'.length);
  // It needs another prompt first: the panel waits for it.
  assert.equal(await look('patch'), null);
  await closeAll();
  await openPrompt('');
  assert.equal(await look('lens'), null);
  await closeAll();
}

async function runOvertakes(api: ExtensionApi): Promise<void> {
  await openPrompt(prompt);
  const first = look('ablate');
  await until(() => api.engineStatus().running !== null);
  const second = await look('lens');
  assert.deepEqual([await first, second?.tool], [null, 'lens']);
  await until(() => api.insideReady());
  await closeAll();
}

async function toolCancelled(api: ExtensionApi): Promise<void> {
  await openPrompt(prompt);
  const run = look('ablate');
  await until(() => api.engineStatus().running !== null);
  await api.insideSays({ type: 'cancel' });
  assert.equal(await run, null);
  assert.equal((await look('lens'))?.tool, 'lens');
  await closeAll();
}
