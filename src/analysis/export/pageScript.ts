/**
 * What an exported page does by itself: strength, sign filter, and what a word's score is. It reads the page's own attributes, writes
 * classes and text, and nothing else; without it (printed, or scripts switched off) the page still reads as it stands. No data is in it,
 * so its hash in the page's policy is the same for every page.
 */
export const pageScript = `'use strict';
const prompt = document.getElementById('prompt');
const words = [...prompt.querySelectorAll('[data-score]')];
const readout = document.getElementById('readout');
const strength = document.getElementById('strength');
const show = document.getElementById('show');
const score = (word) => Number(word.dataset.score);
const largest = Math.max(0, ...words.map((word) => Math.abs(score(word))));
const magnitude = (value) => {
  const share = largest > 0 ? Math.min(1, (Math.abs(value) * 2 ** Number(strength.value)) / largest) : 0;
  return share < 0.1 ? 0 : Math.min(5, Math.ceil(share * 5));
};
const draw = () => {
  for (const word of words) {
    const value = score(word);
    const wanted = show.value === 'all' || (show.value === 'raise') === value > 0;
    const step = wanted ? magnitude(value) : 0;
    word.className = step === 0 ? '' : (value > 0 ? 'raise' : 'lower') + step;
  }
};
const tell = (event) => {
  const word = event.target.closest('[data-score]');
  if (word !== null) readout.textContent = '\\u2018' + word.textContent + '\\u2019: ' + word.title;
};
let stop = 0;
const moveTo = (next) => {
  words[stop].tabIndex = -1;
  stop = next;
  words[stop].tabIndex = 0;
};
words.forEach((word, index) => {
  word.tabIndex = index === 0 ? 0 : -1;
  word.setAttribute('role', 'option');
  word.setAttribute('aria-label', word.textContent + ', ' + word.title);
});
if (words.length > 0) prompt.setAttribute('role', 'listbox');
prompt.addEventListener('pointerover', tell);
prompt.addEventListener('focusin', (event) => {
  const index = words.indexOf(event.target);
  if (index >= 0) moveTo(index);
  tell(event);
});
prompt.addEventListener('keydown', (event) => {
  const last = words.length - 1;
  const moves = {
    ArrowRight: Math.min(last, stop + 1),
    ArrowDown: Math.min(last, stop + 1),
    ArrowLeft: Math.max(0, stop - 1),
    ArrowUp: Math.max(0, stop - 1),
    Home: 0,
    End: last,
  };
  if (!Object.hasOwn(moves, event.key)) return;
  event.preventDefault();
  moveTo(moves[event.key]);
  words[stop].focus();
});
strength.addEventListener('input', draw);
show.addEventListener('change', draw);
document.getElementById('controls').hidden = false;
`;
