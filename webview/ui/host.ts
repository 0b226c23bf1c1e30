/** The one door to the extension host. Data comes in by `message` events and leaves by `postMessage`. */

interface EditorApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

/** Provided by the editor inside every webview; may be called once only. */
declare function acquireVsCodeApi(): EditorApi;

export interface Host<Out> {
  post(message: Out): void;
  /** What the panel remembers while hidden: what the user chose to see, never data of a prompt. */
  readState(): Readonly<Record<string, unknown>>;
  writeState(state: Readonly<Record<string, unknown>>): void;
}

/** Connects to the host; `receive` gets every message that has the shape of one. */
export function connectHost<In extends { readonly type: string }, Out>(receive: (message: In) => void): Host<Out> {
  const api = acquireVsCodeApi();
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (isMessage<In>(event.data)) receive(event.data);
  });
  return {
    post: (message) => api.postMessage(message),
    readState: () => {
      const state = api.getState();
      return typeof state === 'object' && state !== null ? (state as Record<string, unknown>) : {};
    },
    writeState: (state) => api.setState(state),
  };
}

function isMessage<In>(data: unknown): data is In {
  return typeof data === 'object' && data !== null && 'type' in data && typeof data.type === 'string';
}
