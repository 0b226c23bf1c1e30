// npm can write a lock file without optional platform packages that a registry did not serve; `npm ci` then refuses it.
// Also keeps the lock free of download addresses, which name a host. Run by `npm run check`.
import fs from 'node:fs';

const { packages } = JSON.parse(fs.readFileSync('package-lock.json', 'utf8'));
const missing = [];

for (const [folder, entry] of Object.entries(packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    if (!isLocked(folder, name)) missing.push(`${folder || 'package.json'} → ${name}`);
  }
}
const addressed = Object.entries(packages).filter(([, entry]) => /^https?:/.test(entry.resolved ?? ''));

/** Node resolution: the dependant's own node_modules first, then each parent's. */
function isLocked(folder, name) {
  for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (packages[`${at ? `${at}/` : ''}node_modules/${name}`]) return true;
    if (at === '') return false;
  }
}

for (const line of missing) console.error(`missing from package-lock.json: ${line}`);
for (const [name] of addressed) console.error(`names a download address: ${name}`);
process.exitCode = missing.length + addressed.length > 0 ? 1 : 0;
