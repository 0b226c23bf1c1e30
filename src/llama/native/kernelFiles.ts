/** Written by `npm run build:native`: the prebuilt kernel of each system, and the digest it must have to be loaded. */
export const kernelFiles: Readonly<Record<string, { readonly file: string; readonly sha256: string }>> = {
  'linux-x64': {
    file: 'linux-x64/loupe.so',
    sha256: 'd0e1e6f2680c53d67bf66160a266d1620ef730f4fac2888f917e4925757144fb',
  },
  'linux-arm64': {
    file: 'linux-arm64/loupe.so',
    sha256: '39bd3099b91adf323038ca6b085e6d4cee4e819daf198e8eb007e0015eb8ccd1',
  },
  'darwin-x64': {
    file: 'darwin-x64/loupe.dylib',
    sha256: '7c5fd032c7f5ad28c65c2c402e92d960ce5326061815ca468c9bc09ea9a1fd2c',
  },
  'darwin-arm64': {
    file: 'darwin-arm64/loupe.dylib',
    sha256: '5fa90544230872c8239adba5be92a60dd7bccc39713b5ad94ea9a5c341eb642b',
  },
  'win32-x64': {
    file: 'win32-x64/loupe.dll',
    sha256: '4837e3facd00402fbc1943dc3a41ebad881287953622d874c01e18051c7c83e7',
  },
  'win32-arm64': {
    file: 'win32-arm64/loupe.dll',
    sha256: 'f08dbd61c1d6b795c9583b1f33163ef4a87f80966877dee53e9b418abf96a85a',
  },
};
