/** What a server must be able to tell, whatever it speaks. Adding a protocol is one folder and one line in `protocols.ts`. */
import type { ChatMessage, ModelInfo } from '../model/model.ts';
import type { HttpClient } from './httpClient.ts';

export interface ListedToken {
  readonly id: number;
  /** Nats, of the plain softmax over the whole vocabulary; −∞ where the server's numbers end. */
  readonly logprob: number;
}

/** What may follow some tokens. */
export interface NextTokens {
  /** Most likely first; of equals the smaller id. */
  readonly top: readonly ListedToken[];
  /** Whether the first of them ends a response; null when the server did not say. */
  readonly ends: boolean | null;
}

/** One token of a text, with the bytes it stands for. */
export interface Piece {
  readonly id: number;
  readonly bytes: Uint8Array;
}

export interface SplitOptions {
  readonly addSpecial: boolean;
  readonly parseSpecial: boolean;
}

/** A server whose protocol is known. Every call throws as `HttpClient.ask`, and E_SERVER_ANSWER, E_SERVER_CHANGED. */
export interface ServerConnection {
  readonly info: ModelInfo;
  /** Texts of the tokens that begin and end a sequence, where the server tells them. */
  readonly bos: string | null;
  readonly eos: string | null;
  readonly chatTemplate: string | null;
  /** The `count` most likely tokens after `prefix`, fewer only where the server lists no more. @throws E_SERVER_PROBABILITIES */
  nextTokens(prefix: Int32Array, count: number, signal: AbortSignal): Promise<NextTokens>;
  /** Log-probability of one token after `prefix`, in nats; null when the server tells only those it lists. */
  logprobOf(prefix: Int32Array, id: number, signal: AbortSignal): Promise<number | null>;
  /** Whether a token that follows `prefix` ends a response. */
  ends(prefix: Int32Array, id: number, signal: AbortSignal): Promise<boolean>;
  /** Whether a token, which reads as `text`, is no text but a sign for the model. */
  isControl(id: number, text: string, signal: AbortSignal): Promise<boolean>;
  /** The bytes of a token that `nextTokens` has listed, or undefined: its text is then asked for. */
  bytesOf(id: number): Uint8Array | undefined;
  /** @throws E_SERVER_PLAIN_TEXT where control tokens are not to be recognised, and the server knows no other way */
  split(text: string, options: SplitOptions, signal: AbortSignal): Promise<readonly Piece[]>;
  join(ids: readonly number[], signal: AbortSignal): Promise<string>;
  renderChat(messages: readonly ChatMessage[], addGenerationPrompt: boolean, signal: AbortSignal): Promise<string>;
}

export interface ServerProtocol {
  readonly id: string;
  /** Null when the server speaks something else. @throws as `HttpClient.ask`; E_SERVER_ANSWER, E_SERVER_PROBABILITIES */
  connect(client: HttpClient, contextLength: number, signal: AbortSignal): Promise<ServerConnection | null>;
}
