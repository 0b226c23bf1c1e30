/** All documents that were explained, by URI. */
import { type Choices, DocumentSession } from './session.ts';

export type SessionListener = (session: DocumentSession) => void;

export class SessionStore {
  private readonly sessions = new Map<string, DocumentSession>();
  private readonly listeners = new Set<SessionListener>();

  get(uri: string): DocumentSession | undefined {
    return this.sessions.get(uri);
  }

  /** The session of a document, made with `choices` when it has none. */
  open(uri: string, choices: () => Choices): DocumentSession {
    const found = this.sessions.get(uri);
    if (found !== undefined) return found;
    const session = new DocumentSession(uri, choices(), (changed) => this.emit(changed));
    this.sessions.set(uri, session);
    return session;
  }

  close(uri: string): void {
    const session = this.sessions.get(uri);
    if (session === undefined) return;
    session.close();
    this.sessions.delete(uri);
  }

  all(): readonly DocumentSession[] {
    return [...this.sessions.values()];
  }

  /** Told after every change of any session. Returns a function that stops listening. */
  onChange(listener: SessionListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  dispose(): void {
    this.listeners.clear();
    for (const uri of [...this.sessions.keys()]) this.close(uri);
  }

  private emit(session: DocumentSession): void {
    for (const listener of this.listeners) listener(session);
  }
}
