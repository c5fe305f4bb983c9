// What every page has: the theme switch and dialogs.
import { say } from './words.js';
const root = document.documentElement;
const THEMES = ['auto', 'light', 'dark', 'projector'];
const NAMES = { auto: say('theme-auto'), light: say('theme-light'), dark: say('theme-dark'), projector: say('theme-projector') };

function current() {
  return root.dataset.profile === 'projector' ? 'projector' : root.dataset.theme;
}

function choose(name) {
  root.dataset.profile = name === 'projector' ? 'projector' : 'screen';
  root.dataset.theme = name === 'projector' ? 'light' : name;
  try {
    localStorage.setItem('looks', JSON.stringify({ theme: root.dataset.theme, profile: root.dataset.profile }));
  } catch { /* not kept, then */ }
  label();
}

function label() {
  const button = document.getElementById('theme');
  const name = current();
  button.title = NAMES[name];
  button.setAttribute('aria-label', NAMES[name]);
  button.textContent = { auto: '◐', light: '☀', dark: '☾', projector: '▣' }[name];
}

document.getElementById('theme').addEventListener('click', () => {
  choose(THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length]);
});
label();

document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-opens]');
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.matches('dialog')) event.target.close();
  event.target.closest('[data-closes]')?.closest('dialog').close();
});
