// What the playground and a frame of it on another page share: morphs, keys, words for what went wrong, and what happens
// after the server has drawn another frame.
/* global htmx */
import { fit, moment, step } from './view.js';
import { isPlaying, pause } from './play.js';
import { pulseMoment, pulseStep, refreshCard } from './diagram.js';
import { say } from './words.js';

// A part of a frame that has not changed comes empty and marked; what is on screen stays.
htmx.registerExtension('same', {
  htmx_before_morph_node: (_, { newNode }) => !newNode.hasAttribute?.('data-same') && newNode.id !== 'pulses',
  htmx_before_morph_attr: (element, { attrName, newValue }) =>
    !(newValue === null && attrName === 'open' && element.localName === 'details') && // opened by hand: it stays open
    !(newValue === null && (attrName === 'role' || attrName === 'aria-label') && element.classList.contains('w')),
});

export const listen = (keys) => document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest('input, select, textarea, dialog, [role="slider"]') && event.key !== 'Escape') return;
  if (event.key === ' ' && event.target.closest('button, a, summary')) return;
  if (document.querySelector('dialog[open]')) return;
  const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Step, Reset, another network, the walkthrough: Play ends first, so that its last frame does not come after theirs. A
// change in mid-run, which has an address of its own, goes between two frames.
const ENDS_PLAY = '#transport .button:not(#play), #walk button:not(#slowly), #settings button, .tile, #settings :is(input, select, textarea):not([hx-post], [form])';
for (const kind of ['click', 'change']) {
  document.addEventListener(kind, async (event) => {
    const target = isPlaying() && event.target.closest?.(ENDS_PLAY);
    if (!target || (kind === 'click') === target.matches('input, select, textarea')) return undefined;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { value, checked } = target; // the last frame of Play brings the old ones
    await pause();
    if (kind === 'click') return target.click();
    Object.assign(target, { value, checked });
    return target.dispatchEvent(new Event('change', { bubbles: true }));
  }, true);
}

// What the server refuses is said where it belongs by its own fragment; anything else that goes wrong is said here.
document.addEventListener('htmx:response:error', ({ detail: { ctx } }) => {
  if (ctx.text.includes('<hx-partial')) return;
  let says = say('failed');
  try {
    says = JSON.parse(ctx.text).detail;
  } catch { /* no problem document */ }
  complain(ctx.response.status === 404 ? say('failed-reload', { reason: says }) : says);
});
document.addEventListener('htmx:error', () => complain(say('silent-screen')));

function complain(text) {
  const line = Object.assign(document.createElement('p'), { className: 'notice error', textContent: text });
  document.getElementById('notice').replaceChildren(line);
}

let last = step();
document.addEventListener('htmx:after:swap', (event) => {
  // A style that asked :has() would be asked at every change.
  document.body.classList.toggle('walking', moment() !== null);
  document.body.classList.toggle('with-receipt', Boolean(document.querySelector('#receipt:not([hidden])')));
  refreshCard();
  const by = step() - last;
  last = step();
  if (isPlaying()) return;
  fit();
  const action = event.detail.ctx?.request?.action ?? '';
  if (moment() !== null || action.includes('/frame')) pulseMoment();
  else if (action.includes('/embed') && by > 0) pulseStep();
});

// A click on Step is answered at once: the pulse need not wait for the numbers.
document.addEventListener('htmx:before:request', ({ detail: { ctx: { request } } }) => {
  if (request.action.endsWith('/step') && !isPlaying()) pulseStep();
});

// Predict is a switch that stays for the visit.
async function asks(on) {
  const button = document.getElementById('predict');
  button.setAttribute('aria-pressed', String(Boolean(on)));
  button.textContent = on ? say('predict-on') : say('predict-off');
  sessionStorage.setItem('predict', on);
  (await import('./predict.js')).predict();
}

document.addEventListener('click', ({ target }) => {
  if (target.id === 'predict') asks(target.getAttribute('aria-pressed') === 'true' ? '' : 'on');
});

// What a walkthrough needs has scripts of its own, when it is first reached: by a key, or by a press, which then counts.
let here = null;
export const walking = () => (here ??= import('./walk.js'));
export const move = async (by) => (await walking()).move(by);
export const slowly = async () => (await walking()).slowly();
export const end = async () => here && (await here).end();
for (const [kind, id, act] of [['pointerdown', 'phases', 'seek'], ['input', 'moments', 'slide'], ['click', 'slowly', 'slowly']]) {
  document.addEventListener(kind, async (event) => {
    const target = !here && event.target.closest?.(`#${id}`);
    if (target) (await walking())[act](kind === 'input' ? target : event);
  });
}

async function again() {
  if (moment() !== null) walking();
  if (document.getElementById('ways')) import('./ways.js');
  if (document.getElementById('predict') && sessionStorage.getItem('predict') !== null) await asks(sessionStorage.getItem('predict'));
  if (document.getElementById('again')) (await import('./again.js')).follow();
  if (document.getElementById('carried')) (await import('./carried.js')).fly();
}
document.addEventListener('htmx:after:swap', again);
again();

let waiting = 0;
addEventListener('resize', () => {
  clearTimeout(waiting);
  waiting = setTimeout(fit, 150);
});
fit();
pulseMoment();
