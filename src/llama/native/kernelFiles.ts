/** Written by `npm run build:native`: the prebuilt kernel of each system, and the digest it must have to be loaded. */
export const kernelFiles: Readonly<Record<string, { readonly file: string; readonly sha256: string }>> = {
  'linux-x64': {
    file: 'linux-x64/loupe.so',
    sha256: 'd2f1a5309c95655ef74bbf175c621dc7890e34d51675567f27e99a316d194bc7',
  },
  'linux-arm64': {
    file: 'linux-arm64/loupe.so',
    sha256: '2062a8390f6a9f242987a462e582fa52990d10a8a07f03835dbd787895e7d2e4',
  },
  'darwin-x64': {
    file: 'darwin-x64/loupe.dylib',
    sha256: '7c54f008cecc2a1da853ed817f933da082e94e897db0aea34df303522be8c41e',
  },
  'darwin-arm64': {
    file: 'darwin-arm64/loupe.dylib',
    sha256: '08754d3bebd2c49a99762b68e223909f38e5064a283c5c12466013b3f5e17127',
  },
  'win32-x64': {
    file: 'win32-x64/loupe.dll',
    sha256: 'ed3c22ba9d431f260c3ce70f4aaed2b77494bba640ca77aaa44df79343b0ca88',
  },
  'win32-arm64': {
    file: 'win32-arm64/loupe.dll',
    sha256: '9edaeadf51ab613908d4260384874e790e642ea8967118722cd491aea94b78fa',
  },
};
