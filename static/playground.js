// The playground's wiring: keys, and what happens after the server has drawn another frame.
/* global htmx */
import { announce, fields, fit, number, run, show, step } from './view.js';
import { isPlaying, pause, toggle } from './play.js';
import { focus, patch, pulseMoment, pulseStep, refreshCard } from './diagram.js';
import { keepScrub } from './charts.js';
import { end, keepMoments, moment, move, slowly, stopSlowly } from './walk.js';
import { closeData } from './controls.js';
import { keepRun } from './history.js';

// A part of a frame that has not changed comes empty and marked; what is on screen stays.
htmx.registerExtension('same', {
  htmx_before_morph_node: (_, { newNode }) => !newNode.hasAttribute?.('data-same'),
  htmx_before_morph_attr: (element, { attrName, newValue }) =>
    !(newValue === null && attrName === 'open' && element.localName === 'details') && // opened by hand: it stays open
    !(newValue === null && (attrName === 'role' || attrName === 'aria-label') && element.classList.contains('w')),
});

const click = (id) => document.getElementById(id)?.click();
const LENSES = ['weights', 'activations', 'gradients', 'updates'];

async function example() {
  const other = document.querySelector('#toolbar [name="example"][aria-pressed="false"]');
  await pause();
  other?.click();
}

function escape() {
  if (fields().select) return show({ select: '' });
  stopSlowly();
  if (moment() !== null) return end();
  return undefined;
}

const KEYS = {
  ' ': toggle,
  s: () => click('step'),
  e: () => click('epoch'),
  r: () => click('reset'),
  n: () => click('new-start'),
  w: slowly,
  x: example,
  d: () => focus(document.querySelector('#net .node.sel') ?? document.querySelector('#net .node')),
  '?': () => document.getElementById('help').showModal(),
  ArrowRight: () => move(1),
  ArrowLeft: () => move(-1),
  Escape: escape,
  1: () => show({ lens: LENSES[0] }),
  2: () => show({ lens: LENSES[1] }),
  3: () => show({ lens: LENSES[2] }),
  4: () => show({ lens: LENSES[3] }),
};

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.target.closest('input, select, textarea, dialog, [role="slider"]') && event.key !== 'Escape') return;
  if (event.key === ' ' && event.target.closest('button, a, summary')) return;
  if (document.querySelector('dialog[open]')) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

// Step, Epoch, Reset and the like while playing: pause first, so that the last frame of Play does not come after theirs.
document.addEventListener('click', async (event) => {
  const pressed = isPlaying() && event.target.closest?.('#transport .button:not(#play), #settings button, .tile');
  if (!pressed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  await pause();
  pressed.click();
}, true);

// What the server refuses is said where it belongs by its own fragment; anything else that goes wrong is said here.
document.addEventListener('htmx:response:error', ({ detail: { ctx } }) => {
  if (ctx.text.includes('<hx-partial')) return;
  let says = 'The server could not do this.';
  try {
    says = JSON.parse(ctx.text).detail;
  } catch { /* no problem document */ }
  complain(ctx.response.status === 404 ? `${says} Reload the page: its address starts the run anew.` : says);
});
document.addEventListener('htmx:error', () => complain('The server does not answer. What is on screen is the last that came.'));

function complain(text) {
  const line = Object.assign(document.createElement('p'), { className: 'notice error', textContent: text });
  document.getElementById('notice').replaceChildren(line);
}

// What was asked about a parameter is asked anew when another step or example is looked at, and goes with its receipt.
const receipt = () => document.querySelector('#receipt h2 .hidden')?.textContent ?? '';
const about = () => [receipt(), run(), step(), fields().example].join(' ');
let asked = '';

function askAgain() {
  const probe = document.getElementById('probe');
  if (!probe?.firstElementChild || asked === about()) return;
  const kind = asked.startsWith(`${receipt()} ${run()} `) && probe.querySelector('h3').dataset.kind;
  const again = kind && (probe.querySelector('form button') ?? document.querySelector(`#receipt .acts [hx-get$="/${kind}"]`));
  asked = about();
  if (again) again.click();
  else probe.replaceChildren();
}

let lastRun = run();
document.addEventListener('htmx:after:swap', (event) => {
  const request = event.detail.ctx?.request;
  const values = document.querySelector('#values data');
  if (values) {
    patch(document.getElementById('net'), values.value);
    values.remove();
  }
  keepScrub();
  keepRun();
  refreshCard();
  if (event.detail.ctx?.target?.id === 'probe') asked = about();
  if (event.detail.ctx?.target?.id === 'probe' && event.detail.ctx.response?.status === 200) document.getElementById('notice').replaceChildren();
  if (isPlaying()) return;
  keepMoments();
  const action = request?.action ?? '';
  if (action.includes('/frame') || moment() !== null) pulseMoment();
  else if (action.endsWith('/step')) pulseStep();
  if (request?.method === 'POST') announce(`Step ${number('step')}, train loss ${number('train-loss')}.`);
  askAgain();
  if (run() !== lastRun) {
    lastRun = run();
    closeData();
    fit();
  }
  const tables = document.getElementById('as-text');
  if (tables?.open && action && !action.includes('/table')) htmx.trigger(tables, 'toggle');
});

// Overlaid runs are part of the view.
document.addEventListener('change', (event) => {
  if (event.target.name === 'overlay') {
    const chosen = [...document.querySelectorAll('[name="overlay"]:checked')].map((box) => box.value);
    show({ compare: chosen.join(',') });
  }
  if (event.target.closest?.('.stops')) show({});
});

let waiting = 0;
addEventListener('resize', () => {
  clearTimeout(waiting);
  waiting = setTimeout(fit, 150);
});
keepRun();
fit();
keepMoments();
pulseMoment();
document.documentElement.dataset.ready = 'true';
