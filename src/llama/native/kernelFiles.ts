/** Written by `npm run build:native`: the prebuilt kernel of each system, and the digest it must have to be loaded. */
export const kernelFiles: Readonly<Record<string, { readonly file: string; readonly sha256: string }>> = {
  'linux-x64': {
    file: 'linux-x64/loupe.so',
    sha256: '4776b72a176c396cc69c1177eb76c1cbeaa614d31bf3c06ac3d6b19f43a0092e',
  },
  'linux-arm64': {
    file: 'linux-arm64/loupe.so',
    sha256: '2bb1061e984e0b5adc69c0d9d7b8cd5241f6713e274e27a9869e01c19ce6ec77',
  },
  'darwin-x64': {
    file: 'darwin-x64/loupe.dylib',
    sha256: 'c7902b300cdb4cdb80b362bec735963720569f577695468ee1af361a4183b1cb',
  },
  'darwin-arm64': {
    file: 'darwin-arm64/loupe.dylib',
    sha256: '3ed426f36a4226393419b06a881d10b518fae829b01a047ac2d5f25bd356d440',
  },
  'win32-x64': {
    file: 'win32-x64/loupe.dll',
    sha256: 'cf50af1c2f9db5fa8931e39577b48f0612e028b99797eb48d89b9b8124b89188',
  },
  'win32-arm64': {
    file: 'win32-arm64/loupe.dll',
    sha256: '25b8176c21573bec7d72bfcff888ac86638173e7f7ad9b35973285cea9a0d046',
  },
};
