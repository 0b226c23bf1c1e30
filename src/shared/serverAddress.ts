/** Models that are named by the address of a server: `http://HOST:PORT[/path]`, or https. */
import { serverAddressInvalid } from './serverErrors.ts';

/** Whether a model's name is meant as an address; everything else is the path of a file. */
export function isServerAddress(name: string): boolean {
  return /^\s*https?:\/\//i.test(name);
}

const address = /^(https?):\/\/(\[[0-9a-f:.]+\]|[\p{L}\p{N}._-]+)(:\d{1,5})?((?:\/[^\s/?#\\]+)*)\/*$/iu;

/**
 * The address as it is kept everywhere: scheme and host in small letters, no slash at the end.
 * @throws E_SERVER_ADDRESS for anything but scheme, host, port and path; a user or a key has no place in it, since it is shown
 */
export function serverAddress(name: string): string {
  const text = name.trim();
  if (/^[a-z]+:\/\/[^/]*@/i.test(text)) {
    throw serverAddressInvalid('it holds a user name or a password, which would be shown wherever the model is named');
  }
  if (/[?#]/.test(text)) throw serverAddressInvalid('it holds a query or a fragment');
  const parts = address.exec(text);
  if (parts === null) throw serverAddressInvalid('it is not http://HOST:PORT or http://HOST:PORT/PATH');
  const [, scheme = '', host = '', port = '', path = ''] = parts;
  if (port !== '' && !(Number(port.slice(1)) >= 1 && Number(port.slice(1)) <= 65_535)) {
    throw serverAddressInvalid('a port is a number from 1 to 65535');
  }
  return `${scheme.toLowerCase()}://${host.toLowerCase()}${port}${path}`;
}
