/**
 * Every command the extension contributes. The handlers are in `commands.ts`; a test compares this table with package.json.
 * `nls` is the key of the title in package.nls.json.
 */
export const commandTable = {
  explain: { id: 'promptLoupe.explain', nls: 'command.explain', icon: '$(search)' },
  explainWith: { id: 'promptLoupe.explainWith', nls: 'command.explainWith', icon: null },
  setTarget: { id: 'promptLoupe.setTarget', nls: 'command.setTarget', icon: null },
  contrast: { id: 'promptLoupe.contrast', nls: 'command.contrast', icon: null },
  compareWithMethod: { id: 'promptLoupe.compareWithMethod', nls: 'command.compareWithMethod', icon: null },
  compareWithModel: { id: 'promptLoupe.compareWithModel', nls: 'command.compareWithModel', icon: null },
  compareWithPrevious: { id: 'promptLoupe.compareWithPrevious', nls: 'command.compareWithPrevious', icon: null },
  endComparison: { id: 'promptLoupe.endComparison', nls: 'command.endComparison', icon: null },
  lookInside: { id: 'promptLoupe.lookInside', nls: 'command.lookInside', icon: null },
  layers: { id: 'promptLoupe.layers', nls: 'command.layers', icon: null },
  cancel: { id: 'promptLoupe.cancel', nls: 'command.cancel', icon: '$(debug-stop)' },
  clearOverlay: { id: 'promptLoupe.clearOverlay', nls: 'command.clearOverlay', icon: '$(clear-all)' },
  selectGranularity: { id: 'promptLoupe.selectGranularity', nls: 'command.selectGranularity', icon: null },
  toggleTemplateTokens: { id: 'promptLoupe.toggleTemplateTokens', nls: 'command.toggleTemplateTokens', icon: null },
  showPanel: { id: 'promptLoupe.showPanel', nls: 'command.showPanel', icon: '$(open-preview)' },
  showAttention: { id: 'promptLoupe.showAttention', nls: 'command.showAttention', icon: null },
  exportExplanation: { id: 'promptLoupe.exportExplanation', nls: 'command.exportExplanation', icon: '$(export)' },
  openHistory: { id: 'promptLoupe.openHistory', nls: 'command.openHistory', icon: '$(go-to-file)' },
  deleteHistory: { id: 'promptLoupe.deleteHistory', nls: 'command.deleteHistory', icon: '$(trash)' },
  clearHistory: { id: 'promptLoupe.clearHistory', nls: 'command.clearHistory', icon: '$(clear-all)' },
  loadModel: { id: 'promptLoupe.loadModel', nls: 'command.loadModel', icon: '$(folder-opened)' },
  pickModel: { id: 'promptLoupe.pickModel', nls: 'command.pickModel', icon: null },
  useModel: { id: 'promptLoupe.useModel', nls: 'command.useModel', icon: '$(play)' },
  forgetServer: { id: 'promptLoupe.forgetServer', nls: 'command.forgetServer', icon: '$(trash)' },
  refreshModels: { id: 'promptLoupe.refreshModels', nls: 'command.refreshModels', icon: '$(refresh)' },
  restartEngine: { id: 'promptLoupe.restartEngine', nls: 'command.restartEngine', icon: '$(debug-restart)' },
  showLog: { id: 'promptLoupe.showLog', nls: 'command.showLog', icon: '$(output)' },
  openWalkthrough: { id: 'promptLoupe.openWalkthrough', nls: 'command.openWalkthrough', icon: null },
} as const;

export type CommandName = keyof typeof commandTable;

/** Views, panels and their container, as package.json declares them. */
export const viewIds = {
  container: 'promptLoupe',
  models: 'promptLoupe.models',
  attention: 'promptLoupe.attention',
  history: 'promptLoupe.history',
  /** Types of the webview panels; not declared in package.json. */
  explain: 'promptLoupe.explain',
  inside: 'promptLoupe.inside',
  walkthrough: 'promptLoupe.start',
} as const;

/** Context keys that `when` clauses of package.json read. */
export const contextKeys = {
  /** The active document carries an explanation. */
  hasExplanation: 'promptLoupe.hasExplanation',
  /** A run of the active document is on its way. */
  running: 'promptLoupe.running',
  /** The active document shows a difference. */
  comparing: 'promptLoupe.comparing',
  engineState: 'promptLoupe.engineState',
} as const;
