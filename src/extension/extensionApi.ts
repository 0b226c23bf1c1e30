/** What `activate` returns: a view into the extension for the suite that runs inside the editor. Nothing in the product uses it. */
import type { Comparison } from '../shared/difference.ts';
import type { Explanation } from '../shared/explanation.ts';
import type { EngineStatus } from '../shared/protocol/engine.ts';
import type { Granularity } from '../shared/tokens.ts';
import type { EngineService } from './engineService.ts';
import type { ActiveDocument } from './explain/activeDocument.ts';
import type { DocumentSession, Stage } from './explain/session.ts';
import type { SessionStore } from './explain/sessionStore.ts';
import type { HistoryItem, HistoryStore } from './history/historyStore.ts';
import type { ModelsView } from './models/modelsView.ts';
import type { Overlay } from './overlay/overlay.ts';
import type { OverlayStep } from './overlay/overlayRanges.ts';
import type { AttentionView } from './panels/attentionView.ts';
import type { ExplainPanel } from './panels/explainPanel.ts';

export interface SessionSnapshot {
  readonly uri: string;
  readonly stage: Stage;
  readonly running: boolean;
  readonly explanation: Explanation | null;
  /** The explanation beside another one. */
  readonly comparison: Comparison | null;
  readonly failure: string | null;
  /** Document offsets of the drawn ranges, by palette step. */
  readonly overlay: ReadonlyMap<OverlayStep, readonly { readonly start: number; readonly end: number }[]>;
}

export interface ExtensionApi {
  enginePid(): number | undefined;
  engineStatus(): EngineStatus;
  /** The session of a document, or of the one that is followed. */
  session(uri?: string): SessionSnapshot | null;
  /** Shows a document's explanation at another granularity; false when it has none. */
  setGranularity(uri: string, granularity: Granularity): boolean;
  /** Told after every change of any session. */
  onSessionChange(listener: (uri: string) => void): () => void;
  panelReady(): boolean;
  attentionReady(): boolean;
  /** Labels of the Models view, groups first, each with its models. */
  modelLabels(): Promise<readonly string[]>;
  /** Files of the history, newest first. */
  historyItems(): Promise<readonly HistoryItem[]>;
}

export interface ApiParts {
  readonly engine: EngineService;
  readonly sessions: SessionStore;
  readonly active: ActiveDocument;
  readonly overlay: Overlay;
  readonly panel: ExplainPanel;
  readonly attention: AttentionView;
  readonly modelsView: ModelsView;
  readonly history: HistoryStore;
}

export function createExtensionApi(parts: ApiParts): ExtensionApi {
  const { engine, sessions, active, overlay, panel, attention, modelsView, history } = parts;
  return {
    enginePid: () => engine.pid,
    engineStatus: () => engine.status,
    session: (uri) => {
      const session = uri === undefined ? active.session : sessions.get(uri);
      return session === undefined ? null : snapshot(session, overlay);
    },
    setGranularity: (uri, granularity) => {
      const session = sessions.get(uri);
      session?.setGranularity(granularity);
      return session?.explanation != null;
    },
    onSessionChange: (listener) => sessions.onChange((session) => listener(session.uri)),
    panelReady: () => panel.isReady,
    attentionReady: () => attention.isReady,
    modelLabels: () => modelsView.labels(),
    historyItems: () => history.list(),
  };
}

function snapshot(session: DocumentSession, overlay: Overlay): SessionSnapshot {
  const { uri, stage, view, comparison, run, failure } = session;
  return {
    uri,
    stage,
    running: run !== null,
    explanation: view,
    comparison,
    failure: failure?.code ?? null,
    overlay: overlay.rangesOf(session),
  };
}
