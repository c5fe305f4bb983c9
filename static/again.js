// The walkthrough's last phase: the length of the step under one's hand. Links, point and numbers follow it.
import { calm } from './view.js';
import { say } from './words.js';

const MINUS = '−';
const by = (id) => document.getElementById(id);

// Four digits that count, as the server tells them.
function told(value, sign = false) {
  if (value === null) return say('nan');
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text = size >= 1e-4 && size < 1e3 ? size.toPrecision(4) : size >= 1e3 && size < 1e6 ? size.toFixed(1) : size.toExponential(3).replace('e+', '×10^').replace('e', '×10^').replace('-', MINUS);
  return (value < 0 ? MINUS : sign ? '+' : '') + text;
}

const signed = (value) => told(value, true);
const rate = (value) => String(Number(value.toPrecision(4)));

function links(length) {
  const thinnest = Number(by('again-net').dataset.thinnest);
  const values = {};
  for (const link of by('again-links').children) {
    const { v, change, old, wider } = link.dataset;
    const now = Number(v) + length * Number(change);
    const width = Math.max(thinnest, Number(old) + length * Number(wider));
    const path = link.querySelector('.now');
    path.setAttribute('stroke-width', width);
    path.setAttribute('class', `now ${now < 0 ? 'n' : 'p'}`);
    link.querySelector('.rim')?.setAttribute('stroke-width', width + 2.4);
    values[link.id] = `${signed(Number(v))} → ${signed(now)}`;
  }
  for (const chip of document.querySelectorAll('#again-net .chip')) chip.lastElementChild.textContent = values[chip.dataset.of];
}

function show(index) {
  const root = by('again');
  const [x, y, length, at, loss, everyone, verdict] = JSON.parse(root.dataset.points)[index];
  by('landing').setAttribute('cx', x);
  by('landing').setAttribute('cy', y);
  by('stem').setAttribute('d', `M${x} ${by('stem').dataset.from}V${y}`);
  by('at-rate').textContent = rate(at);
  by('at-loss').textContent = told(loss);
  by('at-everyone').textContent = told(everyone);
  by('length').setAttribute('aria-valuetext', say('rate', { rate: rate(at), loss: told(loss) }));
  for (const each of root.querySelectorAll('.verdict')) each.hidden = each.dataset.verdict !== verdict;
  by('again-net')?.classList.toggle('elsewhere', index !== Number(root.dataset.here));
  if (by('again-net')) links(length);
  const field = by('other-rate')?.elements.namedItem('value');
  if (field && length > 0) field.value = rate(Number(root.dataset.rate) * length);
}

document.addEventListener('input', ({ target }) => {
  if (target.id === 'length') show(Number(target.value));
});

// The rate that is set already is no other one: then the slider takes the focus.
document.addEventListener('submit', (event) => {
  if (event.target.id !== 'other-rate' || Number(event.target.elements.namedItem('value').value) !== Number(by('again').dataset.rate)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  by('length').focus();
}, true);

// From the old widths to the new, once each time the phase is reached.
let seen = '';
export function follow() {
  const root = by('again');
  if (!root) return; // gone before this script had come
  const now = location.search + root.dataset.points;
  if (now === seen) return;
  seen = now;
  by('length').value = root.dataset.here;
  show(Number(root.dataset.here));
  if (calm() || !by('again-net')) return;
  for (const link of by('again-links').children) {
    const path = link.querySelector('.now');
    path.animate([{ strokeWidth: `${link.dataset.old}px` }, { strokeWidth: `${path.getAttribute('stroke-width')}px` }], { duration: 450, easing: 'ease-out' });
  }
}
