// The strip itself: how tall it is, its menus, and what is copied from it.
import { say } from './words.js';

const strip = document.getElementById('strip');
const menus = () => strip.querySelectorAll('details.menu[open]');

// What lies fixed over the page begins below it.
new ResizeObserver(() => {
  document.documentElement.style.setProperty('--strip', `${strip.getBoundingClientRect().bottom + scrollY}px`);
}).observe(strip);

// A menu near the right edge opens to the left.
document.addEventListener('toggle', (event) => {
  const sheet = event.target.open && event.target.querySelector?.(':scope > .sheet');
  if (!sheet) return;
  sheet.classList.remove('leftwards');
  sheet.classList.toggle('leftwards', sheet.getBoundingClientRect().right > document.documentElement.clientWidth);
}, true);

document.addEventListener('submit', (event) => {
  const menu = event.target.closest('[data-closes-menu]')?.closest('details');
  if (menu) menu.open = false;
});

document.addEventListener('click', async (event) => {
  for (const menu of menus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const copied = event.target.closest('[data-copies]');
  if (!copied) return;
  const field = document.getElementById(copied.dataset.copies);
  copied.textContent = await copy(field) ? say('copied') : say('copied-not');
});

// On plain http there is no clipboard to write to but what is selected; if that fails, too, the link can be read.
async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch { /* not here */ }
  const { type } = field;
  field.type = 'text'; // of a password nothing is copied
  field.focus();
  field.select();
  if (!document.execCommand('copy')) return false;
  field.type = type;
  return true;
}

// What only the teacher may see does not stay on a screen that may be the one on the wall.
const second = document.getElementById('second');
const asQr = document.getElementById('as-qr');
let closing = 0;
function showQr(shown) {
  clearTimeout(closing);
  second.hidden = !shown;
  asQr.setAttribute('aria-expanded', String(shown));
  if (!shown) return;
  second.scrollIntoView({ block: 'nearest' });
  closing = setTimeout(showQr, 30000, false);
}
asQr.addEventListener('click', () => showQr(second.hidden));
document.getElementById('more').addEventListener('toggle', ({ target }) => { if (!target.open) showQr(false); });

// Escape closes a menu and nothing else; what opened it has the focus again.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return;
  for (const menu of menus()) {
    event.stopPropagation();
    menu.open = false;
    menu.querySelector('summary').focus();
  }
}, true);

// Who was removed took the button along that was pressed: the next one's must not have the focus now.
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  if (ctx.target.id === 'student-list' && ctx.sourceElement.matches('form, button')) ctx.target.focus();
});

// A refused form keeps what was typed, and says beside it why.
document.addEventListener('htmx:before:swap', (event) => {
  const { response, text, sourceElement } = event.detail.ctx;
  const form = response?.status === 422 && sourceElement?.closest?.('#strip .sheet form');
  const place = form && form.querySelector('.error');
  if (!place) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  place.textContent = text.trim();
  form.closest('details').open = true;
});
document.addEventListener('submit', (event) => {
  event.target.querySelectorAll('#strip .error').forEach((place) => { place.textContent = ''; });
});

// What would be lost by closing is asked in a dialog.
document.addEventListener('htmx:after:swap', ({ detail: { ctx } }) => {
  if (ctx.target.id === 'ending') ctx.target.showModal();
});
document.getElementById('ending').addEventListener('click', (event) => {
  if (event.target.closest('[data-closes]')) event.preventDefault(); // a link without script
});
// The answer to this leads on; what the stream says meanwhile must not lead elsewhere.
document.getElementById('ending').addEventListener('submit', () => { strip.dataset.leaving = 'true'; });
