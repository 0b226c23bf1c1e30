/** The user story inside the extension host, on the bundled model. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { commandTable } from '../../../src/extension/commandTable.ts';
import { attributionMethods } from '../../../src/attribution/registry.ts';
import type { ExtensionApi } from '../../../src/extension/extensionApi.ts';
import { settingNames, settingsTable } from '../../../src/extension/settingsTable.ts';
import type { Explanation } from '../../../src/shared/explanation.ts';
import type { ToolResult } from '../../../src/shared/protocol/tools.ts';
import type { Check } from './runner.ts';
import { closeAll, drawnText, openPrompt, sessionThat, until } from './testEditor.ts';

const prompt = 'The capital of France is';
const longPrompt = `${'The quick brown fox jumps over the lazy dog near the river bank. '.repeat(4)}The animal that jumps is the`;

const defaultMethod = attributionMethods.find(({ id }) => id === settingsTable.method.default)?.label ?? '?';

const explain = () => vscode.commands.executeCommand<Explanation | null>(commandTable.explain.id);

async function explained(content: string): Promise<{ editor: vscode.TextEditor; uri: string; explanation: Explanation }> {
  const editor = await openPrompt(content);
  const explanation = await explain();
  assert.ok(explanation, 'the command returns an explanation');
  return { editor, uri: editor.document.uri.toString(), explanation };
}

export function suiteChecks(api: ExtensionApi): readonly Check[] {
  return [
    { name: 'every command is registered', run: () => commandsRegistered() },
    { name: 'settings have their defaults', run: () => Promise.resolve(settingsHaveDefaults()) },
    { name: 'the Models view lists the bundled model', run: () => modelsListed(api) },
    { name: 'explaining a document tints its words', run: () => explainTints(api) },
    { name: 'the hover tells score, rank and method', run: () => hoverTells() },
    { name: 'an edit keeps the tints of the other words', run: () => editKeepsTints(api) },
    { name: 'undo brings the explained text back unstale', run: () => undoRestores(api) },
    { name: 'an edit during the run is taken into account', run: () => editDuringRun(api) },
    { name: 'two documents wait for each other', run: () => twoDocuments(api) },
    { name: 'panel and Attention view start and ask for their state', run: () => pagesStart(api) },
    { name: 'only the selection is explained', run: () => selectionOnly(api) },
    { name: 'switching the granularity needs no new run', run: () => granularitySwitch(api) },
    { name: 'a difference of two methods is drawn, and of two runs', run: () => differenceDrawn(api) },
    { name: 'the history keeps an explanation and shows it again', run: () => historyReopens(api) },
    { name: 'a second command on the document overtakes the first', run: () => secondOvertakes(api) },
    { name: 'cancel ends the run and loses nothing', run: () => cancelEnds(api) },
    { name: 'a closed document drops its explanation', run: () => closedDrops(api) },
    { name: 'an empty prompt is refused with a code', run: () => emptyRefused(api) },
    { name: 'the engine is killed, the overlay stays, the next command works', run: () => killRecovers(api) },
    { name: 'the engine is killed in mid-run and the run still ends well', run: () => killInMidRun(api) },
    { name: 'precision and memory hold from the next request on', run: () => settingsFollowed(api) },
    { name: 'a tool looks inside, at the selection only, and a wrong prompt is refused', run: () => looksInside() },
    { name: 'clearing takes the tints away', run: () => clearTakesAway(api) },
  ];
}

async function commandsRegistered(): Promise<void> {
  const registered = new Set(await vscode.commands.getCommands(true));
  const missing = Object.values(commandTable).filter(({ id }) => !registered.has(id));
  assert.deepEqual(missing, []);
}

function settingsHaveDefaults(): void {
  const configuration = vscode.workspace.getConfiguration('promptLoupe');
  for (const name of settingNames) {
    assert.deepEqual(configuration.inspect(name)?.defaultValue, settingsTable[name].default, name);
  }
}

async function modelsListed(api: ExtensionApi): Promise<void> {
  const labels = await api.modelLabels();
  assert.ok(
    labels.some((label) => label.startsWith('SmolLM2-135M')),
    labels.join('\n'),
  );
}

async function explainTints(api: ExtensionApi): Promise<void> {
  const editor = await openPrompt(prompt);
  const uri = editor.document.uri.toString();
  const running = sessionThat(api, uri, (session) => session.running);
  const provisional = sessionThat(api, uri, (session) => session.running && session.explanation !== null);
  const explanation = await explain();
  assert.ok(explanation);
  await running;
  assert.notEqual((await provisional).stage, 'final');
  const session = api.session(uri);
  assert.ok(session);
  assert.equal(session.stage, 'final');
  assert.equal(explanation.method.id, settingsTable.method.default);
  assert.match(explanation.response.text, /Paris/);
  assertTinted(drawnText(session, editor.document));
  assert.equal(api.engineStatus().model?.architecture, 'llama');
  await closeAll();
}

/** Some word of the prompt carries a score's tint; which one is the method's business. */
function assertTinted(drawn: ReturnType<typeof drawnText>): void {
  const words = prompt.split(' ');
  const tinted = [...drawn].flatMap(([step, texts]) => (step === 'stale' ? [] : texts));
  assert.ok(
    tinted.some((text) => words.includes(text)),
    JSON.stringify([...drawn]),
  );
}

async function hoverTells(): Promise<void> {
  const { editor } = await explained(prompt);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    editor.document.uri,
    new vscode.Position(0, prompt.indexOf('France') + 2),
  );
  const texts = hovers.flatMap((hover) =>
    hover.contents.map((content) => (typeof content === 'string' ? content : content.value)),
  );
  // appendText writes spaces as &nbsp; and escapes punctuation.
  const text = texts.join('\n').replaceAll('&nbsp;', ' ').replaceAll('\\', '');
  for (const part of [/France/, /Score [+−]?\d/, /rank \d+ of \d+/]) assert.match(text, part);
  assert.ok(text.includes(`Method: ${defaultMethod}`), text);
  await closeAll();
}

async function editKeepsTints(api: ExtensionApi): Promise<void> {
  const { editor, uri } = await explained(prompt);
  const before = api.session(uri);
  assert.ok(before);
  const strongest = drawnText(before, editor.document);
  await editor.edit((edit) => {
    edit.insert(new vscode.Position(0, 0), 'Well, 😀\n');
    edit.insert(new vscode.Position(0, prompt.indexOf('capital') + 3), 'x');
  });
  const after = api.session(uri);
  assert.ok(after);
  const drawn = drawnText(after, editor.document);
  assert.ok(
    drawn.get('stale')?.some((text) => text.includes('capxital')),
    JSON.stringify([...drawn]),
  );
  for (const [step, texts] of strongest) {
    for (const text of texts) if (!text.includes('capital')) assert.ok(drawn.get(step)?.includes(text), `${text} keeps ${step}`);
  }
  await closeAll();
}

async function undoRestores(api: ExtensionApi): Promise<void> {
  const { editor, uri } = await explained(prompt);
  await editor.edit((edit) => edit.delete(new vscode.Range(0, 4, 0, 8)));
  assert.ok(api.session(uri)?.overlay.has('stale'));
  await vscode.commands.executeCommand('undo');
  assert.equal(editor.document.getText(), prompt);
  assert.equal(api.session(uri)?.overlay.has('stale'), false);
  await closeAll();
}

async function editDuringRun(api: ExtensionApi): Promise<void> {
  const editor = await openPrompt(prompt);
  const uri = editor.document.uri.toString();
  const run = explain();
  await sessionThat(api, uri, (session) => session.running);
  await editor.edit((edit) => {
    edit.insert(new vscode.Position(0, 0), '\n');
    edit.replace(new vscode.Range(0, 4, 0, 11), 'capitol');
  });
  assert.ok(await run);
  const session = api.session(uri);
  assert.ok(session);
  const drawn = drawnText(session, editor.document);
  assert.ok(
    drawn.get('stale')?.some((text) => text.includes('capitol')),
    JSON.stringify([...drawn]),
  );
  assertTinted(drawn);
  await closeAll();
}

async function twoDocuments(api: ExtensionApi): Promise<void> {
  const first = await openPrompt(prompt);
  const firstRun = explain();
  await sessionThat(api, first.document.uri.toString(), (session) => session.running);
  await openPrompt('The capital of Italy is');
  const [one, two] = await Promise.all([firstRun, explain()]);
  assert.match(one?.prompt.text ?? '', /France/);
  assert.match(two?.prompt.text ?? '', /Italy/);
  await closeAll();
}

async function pagesStart(api: ExtensionApi): Promise<void> {
  const { uri } = await explained(prompt);
  await vscode.commands.executeCommand(commandTable.showPanel.id);
  await vscode.commands.executeCommand(commandTable.showAttention.id);
  // No event of the API tells when a page has started.
  await until(() => api.panelReady() && api.attentionReady());
  assert.equal(api.session(uri)?.stage, 'final');
  await vscode.commands.executeCommand('workbench.view.explorer');
  await closeAll();
}

async function selectionOnly(api: ExtensionApi): Promise<void> {
  const editor = await openPrompt(`Ignore this line.\n${prompt}`);
  editor.selection = new vscode.Selection(1, 0, 1, prompt.length);
  const explanation = await explain();
  assert.ok(explanation);
  assert.ok(!explanation.prompt.text.includes('Ignore'));
  const session = api.session(editor.document.uri.toString());
  assert.ok(session);
  assertTinted(drawnText(session, editor.document));
  await closeAll();
}

async function granularitySwitch(api: ExtensionApi): Promise<void> {
  const { uri, explanation } = await explained(prompt);
  const before = explanation.units.length;
  const configured = vscode.workspace.getConfiguration('promptLoupe').get('granularity');
  assert.equal(configured, 'word');
  const requests = api.setGranularity(uri, 'line');
  assert.equal(requests, true);
  const units = api.session(uri)?.explanation?.units.filter(({ kind }) => kind === 'text');
  assert.equal(units?.length, 1);
  assert.ok(before > 1);
  assert.equal(api.session(uri)?.running, false);
  await closeAll();
}

async function differenceDrawn(api: ExtensionApi): Promise<void> {
  const { editor, uri, explanation } = await explained(prompt);
  assert.equal(await vscode.commands.executeCommand(commandTable.compareWithMethod.id, 'attention'), true);
  const { comparison, overlay } = api.session(uri) ?? {};
  assert.equal(comparison?.a.length, explanation.units.length);
  assert.ok((overlay?.size ?? 0) > 0);
  assert.equal(api.session(uri)?.explanation?.method.id, explanation.method.id, 'what is shown stays');
  await vscode.commands.executeCommand(commandTable.endComparison.id);
  assert.equal(api.session(uri)?.comparison, null);
  const file = api.engineStatus().model?.file;
  assert.equal(await vscode.commands.executeCommand(commandTable.compareWithModel.id, file), true);
  const same = api.session(uri)?.comparison?.scores ?? [1];
  assert.ok(
    same.every((part) => Math.abs(part) < 1e-4),
    `the same model tells the same: ${same.join(' ')}`,
  );
  await editor.edit((edit) => edit.replace(new vscode.Range(0, 15, 0, 21), 'Italy'));
  assert.ok(await explain());
  assert.equal(await vscode.commands.executeCommand(commandTable.compareWithPrevious.id), true);
  assert.deepEqual(
    api.session(uri)?.comparison?.onlyInB.map(({ label }) => label),
    ['France'],
  );
  await closeAll();
}

async function historyReopens(api: ExtensionApi): Promise<void> {
  await vscode.workspace.getConfiguration('promptLoupe').update('history', false, vscode.ConfigurationTarget.Global);
  const { explanation: unkept } = await explained('The capital of Peru is');
  await vscode.workspace.getConfiguration('promptLoupe').update('history', undefined, vscode.ConfigurationTarget.Global);
  await closeAll();
  const { editor, uri, explanation } = await explained(prompt);
  const drawn = drawnText(api.session(uri)!, editor.document);
  let items = await api.historyItems();
  // Written after the command has ended.
  for (const end = Date.now() + 10_000; items[0]?.entry?.prompt.uri !== uri && Date.now() < end; )
    items = await api.historyItems();
  assert.deepEqual(items[0]?.entry?.explanation, JSON.parse(JSON.stringify(explanation)));
  assert.ok(!items.some(({ entry }) => entry?.prompt.text === unkept.prompt.text));
  await closeAll();
  await vscode.commands.executeCommand(commandTable.openHistory.id, items[0]);
  const reopened = vscode.window.activeTextEditor?.document;
  assert.equal(reopened?.getText(), prompt);
  const session = api.session(reopened?.uri.toString());
  assert.deepEqual(session?.explanation, items[0]?.entry?.explanation);
  assert.deepEqual(drawnText(session!, reopened), drawn);
  await vscode.commands.executeCommand(commandTable.deleteHistory.id, items[0]);
  assert.equal((await api.historyItems()).length, items.length - 1);
  await closeAll();
}

async function secondOvertakes(api: ExtensionApi): Promise<void> {
  const editor = await openPrompt(longPrompt);
  const uri = editor.document.uri.toString();
  const first = explain();
  await sessionThat(api, uri, (session) => session.running);
  editor.selection = new vscode.Selection(0, 0, 0, 20);
  const second = explain();
  assert.equal(await first, null);
  const explanation = await second;
  assert.equal(explanation?.prompt.text, longPrompt.slice(0, 20));
  assert.equal(api.session(uri)?.explanation?.prompt.text.length, explanation?.prompt.text.length);
  await closeAll();
}

async function cancelEnds(api: ExtensionApi): Promise<void> {
  const editor = await openPrompt(longPrompt);
  const uri = editor.document.uri.toString();
  const run = explain();
  await sessionThat(api, uri, (session) => session.running && session.explanation !== null);
  await vscode.commands.executeCommand(commandTable.cancel.id);
  assert.equal(await run, null);
  const session = api.session(uri);
  assert.deepEqual([session?.running, session?.failure], [false, 'E_CANCELLED']);
  assert.ok(session?.explanation, 'what was drawn stays');
  await closeAll();
}

async function closedDrops(api: ExtensionApi): Promise<void> {
  const editor = await openPrompt(longPrompt);
  const uri = editor.document.uri.toString();
  const run = explain();
  await sessionThat(api, uri, (session) => session.running);
  await vscode.window.showTextDocument(editor.document, vscode.ViewColumn.One);
  const closed = new Promise<void>((resolve) => {
    const listener = vscode.workspace.onDidCloseTextDocument((document) => {
      if (document.uri.toString() !== uri) return;
      listener.dispose();
      resolve();
    });
  });
  await closeAll();
  await closed;
  assert.equal(await run, null);
  assert.equal(api.session(uri), null);
}

async function emptyRefused(api: ExtensionApi): Promise<void> {
  const editor = await openPrompt('');
  assert.equal(await explain(), null);
  assert.match(api.session(editor.document.uri.toString())?.failure ?? '', /^E_PROMPT_EMPTY/);
  await vscode.commands.executeCommand('notifications.clearAll');
  await closeAll();
}

async function killRecovers(api: ExtensionApi): Promise<void> {
  const { uri } = await explained(prompt);
  const pid = api.enginePid();
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  const again = await explain();
  assert.ok(again, 'explains again after the engine was killed');
  assert.notEqual(api.enginePid(), pid);
  assert.ok((api.session(uri)?.overlay.size ?? 0) > 0);
  await closeAll();
}

async function killInMidRun(api: ExtensionApi): Promise<void> {
  const editor = await openPrompt(longPrompt.slice(0, 130));
  const uri = editor.document.uri.toString();
  const run = explain();
  await sessionThat(api, uri, (session) => session.running && session.explanation !== null);
  const pid = api.enginePid();
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  assert.ok(await run, 'the interrupted run is repeated once');
  assert.equal(api.session(uri)?.stage, 'final');
  await vscode.commands.executeCommand('notifications.clearAll');
  await closeAll();
}

async function settingsFollowed(api: ExtensionApi): Promise<void> {
  const { uri, explanation } = await explained(prompt);
  assert.equal(explanation.model.precision, 'as-served');
  const configuration = vscode.workspace.getConfiguration('promptLoupe');
  const set = (name: string, value: unknown) => configuration.update(name, value, vscode.ConfigurationTarget.Global);
  try {
    await set('precision', 'dequantised');
    const dequantised = await explain();
    assert.deepEqual([dequantised?.model.precision, dequantised?.method.parameters['precision']], ['dequantised', 'dequantised']);
    await set('gradientMemory', 1);
    assert.equal(await explain(), null);
    assert.equal(api.session(uri)?.failure, 'E_GRADIENT_MEMORY');
  } finally {
    await set('precision', undefined);
    await set('gradientMemory', undefined);
  }
  assert.equal((await explain())?.model.precision, 'as-served');
  await vscode.commands.executeCommand('notifications.clearAll');
  await closeAll();
}

async function looksInside(): Promise<void> {
  const look = (tool: string) => vscode.commands.executeCommand<ToolResult | null>(commandTable.lookInside.id, tool);
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

async function clearTakesAway(api: ExtensionApi): Promise<void> {
  const { uri } = await explained(prompt);
  await vscode.commands.executeCommand(commandTable.clearOverlay.id);
  assert.deepEqual([api.session(uri)?.overlay.size, api.session(uri)?.explanation], [0, null]);
  await closeAll();
}
