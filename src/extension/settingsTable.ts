/** Every setting, its default and its limits, in one table. A test compares it with package.json and package.nls.json. */
import { granularities, type Granularity } from '../shared/tokens.ts';
import type { ModelSummary, PromptMode } from '../shared/protocol/engine.ts';

export const section = 'promptLoupe';

export interface Settings {
  /** A GGUF or ONNX file, a folder with an ONNX model, or the address of a server; empty = the bundled model. */
  readonly modelPath: string;
  readonly modelFolders: readonly string[];
  /** 0 = the number of physical cores. */
  readonly threads: number;
  /** Tokens; 0 = as much as the model was trained for, at most 4,096. */
  readonly contextLength: number;
  /** MB (10⁶ bytes) a gradient may take beside the model; 0 = half of the free memory. */
  readonly gradientMemory: number;
  /** MB (10⁶ bytes) of dequantised weights kept between gradients; −1 = a quarter of the free memory, 0 = none. */
  readonly weightMemory: number;
  /** Execution provider of ONNX Runtime, for ONNX models. */
  readonly onnxProvider: string;
  readonly promptMode: PromptMode;
  readonly method: string;
  /** Ids of methods whose conditions the user agreed to. */
  readonly agreedMethods: readonly string[];
  /** How gradient methods compute; the others always read the file as served. */
  readonly precision: ModelSummary['precision'];
  readonly granularity: Granularity;
  /** Response tokens generated before explaining. */
  readonly maxTokens: number;
  readonly seed: number;
  readonly showTemplateTokens: boolean;
  /** 1 = the largest score gets the strongest tint. */
  readonly intensity: number;
  /** Keep finished explanations, prompts included, on this machine. */
  readonly history: boolean;
  /** Minutes without a request after which the engine ends; 0 = never. */
  readonly idleMinutes: number;
  /** 0 = no debugger; else the engine listens there for one, on loopback. */
  readonly inspectPort: number;
}

/** `machine`: a workspace can never set it. `resource`: a folder may. */
type SettingScope = 'machine' | 'machine-overridable' | 'window' | 'resource';

type SettingDefinition<Value> = {
  readonly default: Value;
  readonly scope: SettingScope;
  /** Ignored in a workspace that is not trusted. */
  readonly restricted: boolean;
} & (Value extends number
  ? { readonly minimum: number; readonly maximum: number; readonly integer: boolean }
  : Value extends string
    ? { readonly choices?: readonly string[] }
    : unknown);

type SettingsTable = { readonly [Name in keyof Settings]: SettingDefinition<Settings[Name]> };

export const settingsTable: SettingsTable = {
  modelPath: { default: '', scope: 'machine', restricted: true },
  modelFolders: { default: [], scope: 'machine', restricted: true },
  threads: { default: 0, scope: 'machine', restricted: true, minimum: 0, maximum: 256, integer: true },
  contextLength: { default: 0, scope: 'machine', restricted: true, minimum: 0, maximum: 1_048_576, integer: true },
  gradientMemory: { default: 0, scope: 'machine', restricted: true, minimum: 0, maximum: 1_048_576, integer: true },
  weightMemory: { default: -1, scope: 'machine', restricted: true, minimum: -1, maximum: 1_048_576, integer: true },
  onnxProvider: {
    default: 'cpu',
    scope: 'machine',
    restricted: true,
    choices: ['cpu', 'webgpu', 'cuda', 'tensorrt', 'dml', 'coreml'],
  },
  promptMode: { default: 'auto', scope: 'resource', restricted: false, choices: ['auto', 'raw', 'chat'] },
  method: { default: 'loupe', scope: 'resource', restricted: false },
  agreedMethods: { default: [], scope: 'machine', restricted: true },
  precision: { default: 'as-served', scope: 'resource', restricted: false, choices: ['as-served', 'dequantised'] },
  granularity: { default: 'word', scope: 'resource', restricted: false, choices: granularities },
  maxTokens: { default: 32, scope: 'resource', restricted: false, minimum: 1, maximum: 4096, integer: true },
  seed: { default: 0, scope: 'resource', restricted: false, minimum: 0, maximum: 4_294_967_295, integer: true },
  showTemplateTokens: { default: false, scope: 'window', restricted: false },
  intensity: { default: 1, scope: 'window', restricted: false, minimum: 0.25, maximum: 4, integer: false },
  history: { default: true, scope: 'machine', restricted: true },
  idleMinutes: { default: 10, scope: 'machine', restricted: true, minimum: 0, maximum: 1440, integer: true },
  inspectPort: { default: 0, scope: 'machine', restricted: true, minimum: 0, maximum: 65_535, integer: true },
};

export const settingNames = Object.keys(settingsTable) as (keyof Settings)[];

/** A setting's definition with the limits of any kind of value; those it does not have are absent. */
export function settingDefinition(name: keyof Settings): SettingDefinition<unknown> & {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly integer?: boolean;
  readonly choices?: readonly string[];
} {
  return settingsTable[name];
}

/** Whatever a user or a workspace wrote, as a value of the right type within its limits; else the default. */
export function checkedSetting<Name extends keyof Settings>(name: Name, raw: unknown): Settings[Name] {
  const definition = settingDefinition(name);
  const fallback = settingsTable[name].default;
  if (Array.isArray(fallback)) {
    const items: unknown[] = Array.isArray(raw) ? raw : [];
    return items.filter((item) => typeof item === 'string' && item !== '') as readonly string[] as Settings[Name];
  }
  if (typeof raw !== typeof fallback) return fallback;
  if (typeof raw === 'number') {
    if (!Number.isFinite(raw)) return fallback;
    const bounded = Math.min(definition.maximum ?? raw, Math.max(definition.minimum ?? raw, raw));
    return (definition.integer === true ? Math.round(bounded) : bounded) as Settings[Name];
  }
  if (definition.choices !== undefined && !definition.choices.includes(raw as string)) return fallback;
  return raw as Settings[Name];
}
