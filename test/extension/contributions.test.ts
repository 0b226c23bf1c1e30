/** What the code and package.json say about commands, settings, views, colours and texts must be the same. */
import { readdirSync, readFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { tools } from '../../src/analysis/tools/registry.ts';
import { methodFamilies } from '../../src/attribution/method.ts';
import { attributionMethods, defaultMethod } from '../../src/attribution/registry.ts';
import { commandTable, contextKeys, viewIds } from '../../src/extension/commandTable.ts';
import { familyLabel } from '../../src/extension/explain/methodChoices.ts';
import { inEnglish } from '../../src/extension/translate.ts';
import { settingDefinition, type Settings, settingNames, settingsTable } from '../../src/extension/settingsTable.ts';
import { blockMessages, blockSources } from './inside/blockMessages.ts';
import { warningMessages } from './warningMessages.ts';

const root = path.resolve(import.meta.dirname, '../..');
const readText = (file: string) => readFileSync(path.join(root, file), 'utf8');
const readJson = <T>(file: string) => JSON.parse(readText(file)) as T;

interface Setting {
  type: string;
  default: unknown;
  scope: string;
  minimum?: number;
  maximum?: number;
  enum?: string[];
}

interface Manifest {
  capabilities: { untrustedWorkspaces: { supported: string; restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; title: string; icon?: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    configuration: { properties: Record<string, Setting> };
    colors: { id: string; defaults: Record<string, string> }[];
    views: Record<string, { id: string }[]>;
    viewsContainers: { activitybar: { id: string; icon: string }[] };
    walkthroughs: { id: string; steps: { media: { svg: string }; completionEvents?: string[] }[] }[];
  };
}

const manifestText = readText('package.json');
const manifest = readJson<Manifest>('package.json');
const { contributes } = manifest;
const english = readJson<Record<string, string>>('package.nls.json');
const chinese = readJson<Record<string, string>>('package.nls.zh-cn.json');
const commandIds = Object.values(commandTable).map(({ id }) => id);

function sourceFiles(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name));
}

describe('commands', () => {
  test('are the same in the table and in package.json', () => {
    const declared = contributes.commands.map(({ command, title, icon }) => ({ id: command, title, icon: icon ?? null }));
    const tabled = Object.values(commandTable).map(({ id, nls, icon }) => ({ id, title: `%${nls}%`, icon }));
    expect(declared).toEqual(tabled);
  });

  test('that menus name exist', () => {
    const named = Object.values(contributes.menus).flatMap((items) => items.map(({ command }) => command));
    expect(named.filter((id) => !(commandIds as string[]).includes(id))).toEqual([]);
  });

  test('that the walkthrough names exist', () => {
    const text = Object.values(english).join('\n');
    const named = [...text.matchAll(/\(command:([\w.]+)\)/g)].map(([, id]) => id);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((id) => id === undefined || !(commandIds as string[]).includes(id))).toEqual([]);
  });

  test('context keys in when clauses are those the code sets', () => {
    const whens = Object.values(contributes.menus).flatMap((items) => items.map(({ when }) => when ?? ''));
    const keys = new Set(whens.flatMap((when) => when.match(/promptLoupe\.\w+/g) ?? []));
    const known: string[] = [...Object.values(contextKeys), viewIds.models, viewIds.history];
    expect([...keys].filter((key) => !known.includes(key))).toEqual([]);
  });
});

describe('settings', () => {
  test.each(settingNames)('%s is the same in the table and in package.json', (name: keyof Settings) => {
    const definition = settingDefinition(name);
    const declared = contributes.configuration.properties[`promptLoupe.${name}`];
    expect(declared).toMatchObject({ default: definition.default, scope: definition.scope });
    expect([declared?.minimum, declared?.maximum]).toEqual([definition.minimum, definition.maximum]);
    if (definition.integer !== undefined) expect(declared?.type).toBe(definition.integer ? 'integer' : 'number');
    if (definition.choices !== undefined) expect(declared?.enum).toEqual(definition.choices);
    expect(english[`setting.${name}`]).toBeTruthy();
  });

  test('package.json has no other', () => {
    expect(Object.keys(contributes.configuration.properties)).toEqual(settingNames.map((name) => `promptLoupe.${name}`));
  });

  test('those that choose files, processes or ports are out of reach of a workspace', () => {
    const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    expect(supported).toBe('limited');
    const restricted = settingNames.filter((name) => settingsTable[name].restricted).map((name) => `promptLoupe.${name}`);
    expect(restrictedConfigurations).toEqual(restricted);
    for (const id of restricted) expect(contributes.configuration.properties[id]?.scope).toBe('machine');
  });

  test('the default method is the engine’s, and no method is named otherwise: the engine tells them', () => {
    expect(settingsTable.method.default).toBe(defaultMethod);
    expect(contributes.configuration.properties['promptLoupe.method']?.enum).toBeUndefined();
  });
});

describe('texts', () => {
  test('every key of package.json has an English and a Chinese text, and no text is unused', () => {
    const used = new Set([...manifestText.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key));
    expect(Object.keys(english).sort()).toEqual([...used].sort());
    expect(Object.keys(chinese)).toEqual(Object.keys(english));
  });

  test('both languages name the same commands', () => {
    const links = (text: string | undefined) => text?.match(/\(command:[\w.]+\)/g) ?? [];
    for (const [key, text] of Object.entries(english)) expect(links(chinese[key]), key).toEqual(links(text));
  });

  test('every message of the code is in both bundles, with the same places for values', () => {
    const messages = sourceFiles('src/extension').flatMap((file) =>
      [...readText(file).matchAll(/\bt\(\s*'((?:[^'\\]|\\.)*)'/g)].map(([, message = '']) => message),
    );
    const bundle = readJson<Record<string, string>>('l10n/bundle.l10n.json');
    const translated = readJson<Record<string, string>>('l10n/bundle.l10n.zh-cn.json');
    const ofMethods = attributionMethods.flatMap(({ label, assumption, optIn }) => [label, assumption, optIn]);
    const ofTools = tools.flatMap(({ label, question, parameters }) => [
      label,
      question,
      ...parameters.flatMap((parameter) => [parameter.label, parameter.help]),
    ]);
    const ofBlocks = blockSources('src/analysis').flatMap(blockMessages);
    const ofWarnings = warningMessages();
    expect(ofWarnings.length).toBeGreaterThan(30);
    const families = methodFamilies.map((family) => familyLabel(family, inEnglish));
    expect(messages.filter((message) => !Object.hasOwn(bundle, message))).toEqual([]);
    // The engine's texts are looked up too; one without a translation would be shown in English.
    const ofEngine = [...ofMethods, ...ofTools, ...ofBlocks, ...ofWarnings];
    expect(ofEngine.filter((text) => text !== undefined && !Object.hasOwn(bundle, text))).toEqual([]);
    const known = new Set<string | undefined>([...messages, ...ofEngine, ...families]);
    expect(Object.keys(bundle)).toEqual([...known].filter((text) => text !== undefined && Object.hasOwn(bundle, text)).sort());
    expect(Object.keys(translated)).toEqual(Object.keys(bundle));
    const places = (text: string | undefined) => [...(text?.match(/\{\d\}/g) ?? [])].sort();
    for (const [message, text] of Object.entries(translated)) expect(places(text), message).toEqual(places(message));
  });
});

test('views, container and pictures exist', () => {
  const views = contributes.views[viewIds.container]?.map(({ id }) => id);
  expect(views).toEqual([viewIds.attention, viewIds.models, viewIds.history]);
  expect(contributes.viewsContainers.activitybar.map(({ id }) => id)).toEqual([viewIds.container]);
  expect(contributes.walkthroughs.map(({ id }) => id)).toEqual([viewIds.walkthrough]);
  const pictures = [
    ...contributes.viewsContainers.activitybar.map(({ icon }) => icon),
    ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.svg)),
  ];
  expect(pictures.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
});

test('colours have a default for every kind of theme', () => {
  const ids = ['positive', 'negative'].flatMap((sign) => [1, 2, 3, 4, 5].map((step) => `promptLoupe.${sign}${step}`));
  expect(contributes.colors.map(({ id }) => id)).toEqual([...ids, 'promptLoupe.stale', 'promptLoupe.doubtfulBorder']);
  for (const { id, defaults } of contributes.colors) {
    expect(Object.keys(defaults), id).toEqual(['dark', 'light', 'highContrast', 'highContrastLight']);
    for (const colour of Object.values(defaults)) expect(colour, id).toMatch(/^#[0-9a-f]{6}([0-9a-f]{2})?$/);
  }
});
