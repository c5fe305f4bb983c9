// The playground's wiring: keys, and what happens after the server has drawn another frame.
/* global htmx */
import { announce, fields, fit, moment, number, run, show, step } from './view.js';
import { isPlaying, pause, toggle } from './play.js';
import { focus } from './diagram.js';
import { keepScrub } from './charts.js';
import { end, listen, move, slowly, walking } from './frame.js';
import { closeData } from './controls.js';
import { keepRun } from './history.js';
import { say } from './words.js';

const click = (id) => document.getElementById(id)?.click();
const LENSES = ['weights', 'activations', 'gradients', 'updates'];

async function example() {
  const other = document.querySelector('#toolbar [name="example"][aria-pressed="false"]');
  await pause();
  other?.click();
}

const escape = () => (fields().select ? show({ select: '' }) : end());

listen({
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
});

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
  keepScrub();
  keepRun();
  if (event.detail.ctx?.target?.id === 'probe') asked = about();
  if (event.detail.ctx?.target?.id === 'probe' && event.detail.ctx.response?.status === 200) document.getElementById('notice').replaceChildren();
  if (isPlaying()) return;
  const action = request?.action ?? '';
  if (request?.method === 'POST') announce(say('step', { step: number('step'), loss: number('train-loss') }));
  askAgain();
  if (run() !== lastRun) {
    lastRun = run();
    closeData();
    fit();
  }
  if (!action || /\/(table|health)\b/.test(action)) return;
  for (const details of document.querySelectorAll('details[hx-get][open]')) htmx.trigger(details, 'toggle');
});

// Overlaid runs are part of the view.
document.addEventListener('change', (event) => {
  if (event.target.name === 'overlay') {
    const chosen = [...document.querySelectorAll('[name="overlay"]:checked')].map((box) => box.value);
    show({ compare: chosen.join(',') });
  }
  if (event.target.closest?.('.stops')) show({});
});

document.addEventListener('click', async ({ target }) => {
  const opens = target.closest('[data-opens]')?.dataset.opens;
  if (opens === 'share' || opens === 'runs') (await import(`./${opens}.js`)).fill();
});

keepRun();
if (moment() !== null) await walking();
document.documentElement.dataset.ready = 'true';
import('./handy.js');
walking();
