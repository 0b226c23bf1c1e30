/** Errors of models on a server. None holds a key, and text of the server is cut short and stripped before it comes here. */
import { LoupeError } from './errors.ts';

export const serverAddressInvalid = (why: string) =>
  new LoupeError({
    code: 'E_SERVER_ADDRESS',
    kind: 'input',
    what: 'this is not the address of a server',
    why,
    action: 'write http://HOST:PORT, and give a key with PROMPT_LOUPE_API_KEY or when the editor asks for it',
  });

export const serverUnreachable = (address: string, why: string) =>
  new LoupeError({
    code: 'E_SERVER_UNREACHABLE',
    kind: 'model',
    what: `the server ${address} cannot be reached`,
    why,
    action: 'check the address and that the server runs, then try again',
    details: { address },
  });

export const serverTimeout = (address: string, seconds: number) =>
  new LoupeError({
    code: 'E_SERVER_TIMEOUT',
    kind: 'model',
    what: `the server ${address} did not answer`,
    why: `${seconds} seconds went by`,
    action: 'try again when it has less to do, or with a shorter prompt',
    details: { address, seconds },
  });

export const serverBusy = (address: string, why: string) =>
  new LoupeError({
    code: 'E_SERVER_BUSY',
    kind: 'model',
    what: `the server ${address} is not ready`,
    why,
    action: 'wait until it has loaded its model or has less to do, then try again',
    details: { address },
  });

export const serverUnsupported = (address: string, why: string) =>
  new LoupeError({
    code: 'E_SERVER_UNSUPPORTED',
    kind: 'model',
    what: `${address} is not a server this version can use`,
    why,
    action: 'start llama-server of llama.cpp, or vLLM, and give its address without /v1',
    details: { address },
  });

export const serverAnswer = (address: string, why: string) =>
  new LoupeError({
    code: 'E_SERVER_ANSWER',
    kind: 'model',
    what: `the server ${address} gave an answer that cannot be used`,
    why,
    action: 'check that the address is that of the server itself, and bring the server up to date',
    details: { address },
  });

export const serverProbabilities = (address: string, why: string) =>
  new LoupeError({
    code: 'E_SERVER_PROBABILITIES',
    kind: 'model',
    what: `the server ${address} does not tell the probabilities that are needed`,
    why,
    action: 'bring the server up to date, start it without samplers of its own on the device, or open the model file itself',
    details: { address },
  });

export const serverKeyRefused = (address: string, hadKey: boolean) =>
  new LoupeError({
    code: 'E_SERVER_KEY',
    kind: 'model',
    what: `the server ${address} did not let us in`,
    why: hadKey ? 'it does not take the key that was given' : 'it wants a key, and none was given',
    action: 'set PROMPT_LOUPE_API_KEY for the command line; in the editor choose the server again and give its key',
    details: { address },
  });

export const serverRedirect = (address: string, host: string) =>
  new LoupeError({
    code: 'E_SERVER_REDIRECT',
    kind: 'model',
    what: `the server ${address} points to another address`,
    why: `it sends us to ${host}, and prompts go only where you said`,
    action: 'give the address it points to, if you trust it',
    details: { address, host },
  });

export const serverRefused = (address: string, status: number, why: string) =>
  new LoupeError({
    code: 'E_SERVER_REFUSED',
    kind: 'model',
    what: `the server ${address} refused a request (status ${status})`,
    why,
    action: 'read what the server itself logged',
    details: { address, status },
  });

export const serverChanged = (address: string, before: string, now: string) =>
  new LoupeError({
    code: 'E_SERVER_CHANGED',
    kind: 'model',
    what: `the server ${address} runs another model now`,
    why: `it was ${before} and is ${now}`,
    action: 'load the server again',
    details: { address, before, now },
  });

export const serverPlainText = (address: string, text: string) =>
  new LoupeError({
    code: 'E_SERVER_PLAIN_TEXT',
    kind: 'input',
    what: `the server ${address} cannot read this as plain text`,
    why: `it takes ${JSON.stringify(text)} in it for a control token, and knows no other way`,
    action: 'leave that out, or open the model file itself',
    details: { address, text },
  });

export const serverUntrusted = () =>
  new LoupeError({
    code: 'E_SERVER_UNTRUSTED',
    kind: 'input',
    what: 'no server is used in a folder that is not trusted',
    why: 'a prompt would leave this machine',
    action: 'trust the workspace first, or use a model file',
  });
