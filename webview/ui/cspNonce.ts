/**
 * Must be the first import of an entry. The control library tests the browser with an empty `<style>` element and takes the nonce
 * for it from this meta element; without it a strict `style-src 'nonce-…'` policy reports a violation.
 */
const nonce = document.currentScript?.nonce ?? '';

if (nonce !== '' && document.querySelector('meta[property="csp-nonce"]') === null) {
  const meta = document.createElement('meta');
  meta.setAttribute('property', 'csp-nonce');
  meta.content = nonce;
  document.head.append(meta);
}
