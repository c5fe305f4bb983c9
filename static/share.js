// The share dialog: the address of what is on screen, and the text that puts it into a frame on another page. It is
// fetched when it is first opened.
import { ASIDE, fields, step, ROOT } from './view.js';
import { say } from './words.js';

const field = (id) => document.getElementById(id);

export function fill() {
  const looked = Object.entries({ ...fields(), step: String(step()) });
  const told = looked.filter(([name, text]) => !ASIDE.includes(name) && (text || name === 'hidden'));
  const query = new URLSearchParams(told).toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  field('share-link').value = `${location.origin}${ROOT}/?${query}`;
  field('share-frame').value = `<iframe src="${location.origin}${ROOT}/embed?${query.replaceAll('&', '&amp;')}" width="600" height="400" title="Backprop Playground" loading="lazy"></iframe>`;
}

document.addEventListener('click', async ({ target }) => {
  const copies = target.closest('#share [data-copy]');
  if (!copies) return;
  field(copies.dataset.copy).select();
  try {
    await navigator.clipboard.writeText(field(copies.dataset.copy).value);
    copies.textContent = say('copied');
  } catch {
    copies.textContent = say('selected'); // a browser lets a page copy only where the connection is safe
  }
});
