/** Written by `npm run build:native`: the prebuilt kernel of each system, and the digest it must have to be loaded. */
export const kernelFiles: Readonly<Record<string, { readonly file: string; readonly sha256: string }>> = {
  'linux-x64': {
    file: 'linux-x64/loupe.so',
    sha256: '8fa8b40bc352702b418e65cc88480b935dc7cb9ec365e91638f28c38eb5eda89',
  },
  'linux-arm64': {
    file: 'linux-arm64/loupe.so',
    sha256: '222d3f6adff528cc970c6d5ae7bcfd6a16b67d8e88fcc3aaf9d56e3abc3b368c',
  },
  'darwin-x64': {
    file: 'darwin-x64/loupe.dylib',
    sha256: '8858b9619243d8a15047daf927865ceae670f96ef133487366b85853b7d08a98',
  },
  'darwin-arm64': {
    file: 'darwin-arm64/loupe.dylib',
    sha256: '1ebcac45530d879f89f449bf07614b43ca720082cf6aed6b6eb5f1a1e53f5e02',
  },
  'win32-x64': {
    file: 'win32-x64/loupe.dll',
    sha256: '2a933741fef9ec6b212a81cb93cb8c9cccdba51933cd6c35c3326cdbcc84af54',
  },
  'win32-arm64': {
    file: 'win32-arm64/loupe.dll',
    sha256: 'db55fafe5bf9cd6339e5bb2dad62cc597b7dd2d9d6f5a0e1139bd2b09cdd9dcb',
  },
};
