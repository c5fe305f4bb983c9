// Back and Forward. What is another address but for its place in time is another entry, so that Back leads to what was
// there before, and so is a moment that a key or a button leads to. Steps, frames of Play, the time bar, and moments that
// pass by themselves or under a finger renew the entry that they are in.
/* global htmx */
import { ASIDE, fields, run, step, target, here } from './view.js';
import { pause } from './play.js';

const TIME = ['step', 'moment'];
let answer = null;
let wanted = null; // what Back or Forward asked for last
let entry = history.state?.entry; // the one that is on screen: answers that were on their way may write into no other
const elsewhere = () => history.state?.entry !== undefined && history.state.entry !== entry;

const told = (pairs, without) => new URLSearchParams([...pairs].filter(([name, text]) => text && !without.includes(name)).sort()).toString();

// Reset and going back for good change time alone, and yet they are wanted.
function isAnother(address, { method, action }) {
  const without = [...ASIDE, ...(method === 'POST' && !action.endsWith('/step') ? [] : TIME)];
  const now = Object.entries({ ...fields(), step: String(step()) });
  return told(now, without) !== told(new URL(address, location.href).searchParams, without);
}

// An entry remembers its run: of several with the same address, Back leads to the very one.
export function keepRun() {
  if (!here() || elsewhere()) return;
  entry = history.state?.entry ?? Math.random();
  history.replaceState({ htmx: true, entry, run: run() }, '');
}

document.addEventListener('htmx:before:swap', ({ detail: { ctx } }) => { answer = ctx; });

document.addEventListener('htmx:before:history:update', (event) => {
  if (elsewhere() || answer.restores) event.preventDefault();
  else if (here() && (answer.entry || isAnother(event.detail.history.path, answer.request))) event.detail.history.type = 'push';
});

document.addEventListener('htmx:before:history:restore', async (event) => {
  if (!here()) return;
  event.preventDefault();
  const restores = {};
  const { size, points } = fields();
  const values = { size, points, kept: history.state.run ?? '' };
  wanted = restores;
  await pause();
  htmx.ajax('GET', event.detail.path, { ...target, restores, values });
});

document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
  if (ctx.restores && ctx.restores === wanted) {
    entry = history.state?.entry;
    keepRun();
  }
});
