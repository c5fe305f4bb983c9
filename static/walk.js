// The walkthrough bar: time inside one step, by drag, by key, or slowly by itself. It comes with the first of these.
import { calm, fit, latest, moment, show } from './view.js';
import { isPlaying, pause } from './play.js';
import { say } from './words.js';
import './places.js';

const walk = () => document.getElementById('walk');
// Fetched with the first moment: who only plays needs none of it. An import takes a turn, and with it a frame, each time.
let ahead = async (...asked) => {
  ahead = (await import('./ahead.js')).fetchAhead;
  return ahead(...asked);
};
const total = () => Number(walk().dataset.total);

// The moment that was asked for last, until it is there: what is pressed meanwhile counts from it.
let wanted = null;

const goTo = latest(async ({ index, entry }) => {
  await show({ moment: index, ...(moment() === null && { example: walk().dataset.begin }) }, { fetch: ahead, entry });
  if (wanted === index) wanted = null;
});

function want(index, entry = false) {
  wanted = index;
  return goTo({ index, entry });
}

// `entry`: Back leads to the moment before. After the last one comes the step itself.
export async function move(by, entry = true) {
  const now = wanted ?? moment();
  if (by > 0 && moment() === total() - 1 && now === moment()) return document.getElementById('take')?.click();
  const next = now === null ? 0 : Math.min(Math.max(now + by, 0), total() - 1);
  wanted = next;
  await pause();
  if (wanted !== moment()) return want(wanted, entry);
  wanted = null;
  return undefined;
}

// The buttons count as the keys do; what takes the step is a deed of its own.
document.addEventListener('click', (event) => {
  const button = event.target.closest?.('#back, #next:not([hx-post])');
  if (!button || moment() === null) return;
  event.preventDefault();
  event.stopPropagation();
  move(button.id === 'next' ? 1 : -1);
}, true);

export function end() {
  stopSlowly();
  return moment() === null ? undefined : show({ moment: '' });
}

// The bar's parts are as wide as their names need, so a place in it is found part by part.
function at(x) {
  let found = 0;
  for (const part of document.querySelectorAll('#phases .phase')) {
    const box = part.querySelector('.all').getBoundingClientRect();
    const first = Number(part.dataset.first);
    const count = Number(part.dataset.count);
    if (x >= box.left) found = first + Math.min(count - 1, Math.floor(((x - box.left) / box.width) * count));
  }
  return found;
}

let dragging = false;
document.addEventListener('pointerdown', (event) => {
  const bar = event.target.closest?.('#phases');
  if (!bar || event.button) return;
  dragging = true;
  bar.setPointerCapture(event.pointerId);
  seek(event);
});
export async function seek({ clientX }) {
  await pause();
  want(at(clientX));
}
document.addEventListener('pointermove', (event) => {
  if (!dragging) return;
  const index = at(event.clientX);
  if (index !== (wanted ?? moment())) want(index);
});
for (const name of ['pointerup', 'pointercancel']) document.addEventListener(name, () => { dragging = false; });

document.addEventListener('input', ({ target }) => { if (target.id === 'moments') slide(target); });
export const slide = ({ value }) => want(Number(value));

let timer = 0;
function press(on) {
  const button = document.getElementById('slowly');
  button.setAttribute('aria-pressed', String(on));
  button.textContent = on ? say('slowly-stop') : say('slowly');
}

async function tick() {
  if (!timer) return;
  if (moment() === total() - 1) return stopSlowly();
  await move(1, false);
  if (timer) timer = setTimeout(tick, Number(document.getElementById('pace').value) * (calm() ? 1.5 : 1));
  return undefined;
}

function stopSlowly() {
  clearTimeout(timer);
  timer = 0;
  press(false);
}

export function slowly() {
  if (timer) return stopSlowly();
  timer = 1;
  press(true);
  return tick();
}

document.addEventListener('click', (event) => {
  if (event.target.closest?.('#slowly')) slowly();
});

// Each moment is read from its beginning, and its line of code is in sight.
let read = null;
function fromTheTop() {
  if (moment() === read) return;
  read = moment();
  for (const id of ['words', 'symbols', 'moment-numbers']) document.getElementById(id)?.scrollTo(0, 0);
  const lit = document.querySelector('#code .lit');
  if (lit) lit.parentElement.scrollTop = lit.offsetTop - (lit.parentElement.clientHeight - lit.offsetHeight) / 2;
}

// The setup is folded while one walks; it opens over the drawing, and nothing else moves.
document.addEventListener('click', ({ target }) => {
  const { dataset } = document.body;
  if (target.closest?.('#rail') && dataset.setup === undefined) dataset.setup = 'open';
  else if (!target.closest?.('#controls')) delete dataset.setup;
  document.getElementById('rail')?.setAttribute('aria-expanded', String(dataset.setup !== undefined));
});

// Nothing in the panel is cut: what does not fit gives way, the least needed first, and is one tap away.
const GIVE_WAY = ['snug', 'few-rows', 'no-program', 'no-symbols'];
function settle() {
  const faces = document.querySelector('#walk .rows');
  const { classList } = document.body;
  classList.remove(...GIVE_WAY);
  if (!faces || classList.contains('all-rows')) return;
  const boxes = [faces, ...faces.querySelectorAll('#equations')];
  const fits = () => boxes.every((box) => box.scrollHeight <= box.clientHeight + 1 && box.scrollWidth <= box.clientWidth + 1);
  const unfolded = [...faces.querySelectorAll('.fold[open]')]; // by hand: that may scroll
  unfolded.forEach((fold) => fold.classList.add('folded'));
  GIVE_WAY.find((each) => fits() || classList.add(each));
  for (const each of [...classList].filter((name) => GIVE_WAY.includes(name)).reverse()) {
    classList.remove(each);
    if (!fits()) classList.add(each);
  }
  unfolded.forEach((fold) => fold.classList.remove('folded'));
}
const room = new ResizeObserver(settle);
document.addEventListener('click', ({ target }) => {
  const button = target.closest?.('#all-rows');
  if (!button) return;
  button.setAttribute('aria-pressed', String(document.body.classList.toggle('all-rows')));
  settle();
});

// A term that is pointed at lights everywhere, and tells what it is.
const DRAWN = { W: 'link', q: 'link', p: 'link', dW: 'link', b: 'bias', db: 'bias' };
let pointed = '';
function drawn(part) {
  const [, kind, place] = /^([A-Za-z]+(?:_[A-Za-z]+)*)([\d.]+)$/.exec(part) ?? [];
  if (!place) return null;
  const of = kind.replace('_next', '');
  const drawnAs = DRAWN[of] ?? 'node';
  return document.getElementById([drawnAs, ...place.split('.').slice(0, drawnAs === 'link' ? 3 : 2)].join('-'));
}
function point(part) {
  if (part === pointed) return;
  pointed = part;
  const tip = document.getElementById('term');
  if (tip) tip.textContent = document.querySelector(`[data-part="${part}"][data-tip]`)?.dataset.tip ?? '';
  for (const element of document.querySelectorAll('.same')) element.classList.remove('same');
  if (!part) return;
  for (const element of document.querySelectorAll(`[data-part="${part}"]`)) element.classList.add('same');
  drawn(part)?.classList.add('same');
}
const partOf = ({ target }) => target.closest?.(':is(#walk, #carried) [data-part]')?.dataset.part ?? '';
for (const kind of ['pointerover', 'focusin', 'click']) document.addEventListener(kind, (event) => point(partOf(event)));

document.addEventListener('load', ({ target }) => { if (target.matches?.('#walk link')) fit(); }, true);

function keepMoments() {
  if (isPlaying()) return;
  const part = pointed;
  pointed = null; // the drawing may have been fitted meanwhile: what is pointed at stays lit
  point(part);
  settle();
  for (const faces of document.querySelectorAll('#walk .rows')) room.observe(faces);
  fromTheTop();
  const range = document.getElementById('moments');
  if (moment() !== null) range.value = String(moment());
}
document.addEventListener('htmx:after:swap', keepMoments);
fit(); // the style may have come before
keepMoments();
