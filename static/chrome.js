// What every page has: the theme switch and dialogs.
const root = document.documentElement;
const THEMES = ['auto', 'light', 'dark', 'projector'];
const NAMES = { auto: 'as the system', light: 'light', dark: 'dark', projector: 'projector' };

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
  button.setAttribute('aria-label', `Theme: ${NAMES[name]}`);
  button.title = `Theme: ${NAMES[name]}`;
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
