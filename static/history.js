// Back and Forward. What is another address but for its place in time is another entry, so that Back leads to what was
// there before, and so is a moment that a key or a button leads to. Steps, frames of Play, the time bar, and moments that
// pass by themselves or under a finger renew the entry that they are in.
import { ASIDE, ask, fields, run, step, here } from './view.js';
import { isPlaying, pause, inTurn } from './play.js';

const TIME = ['step', 'moment'];
let answer = null;
let update = null; // where it leads, until it is on screen
let wanted = null; // what Back or Forward asked for last
let returns = 0; // how often something came back: what was asked before is about what was left
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
  const { type, path } = update ?? {};
  update = null;
  if (!here() || elsewhere()) return;
  entry = (type !== 'push' && history.state?.entry) || Math.random();
  history[type === 'push' ? 'pushState' : 'replaceState']({ htmx: true, entry, run: run() }, '', path);
}

// While playing the address means the head, so that a reload does not go back.
function openEnded(path) {
  const address = new URL(path, location.href);
  address.searchParams.delete('step');
  return address.pathname + address.search.replaceAll('%2C', ',');
}

document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => { ctx.returns = returns; });

// What was pressed while the way back was under way, and would now reach the run that was left, is dropped.
document.addEventListener('htmx:before:request', (event) => {
  const { ctx } = event.detail;
  if (ctx.restores ? ctx.restores !== wanted : ctx.returns !== returns) event.preventDefault();
});

document.addEventListener('htmx:before:swap', ({ detail: { ctx } }) => {
  answer = ctx;
  if (ctx.restores) returns += 1;
});

// Written with its run, at once. The browser is at another entry before the page is told so: no answer that comes in
// between may write there.
document.addEventListener('htmx:before:history:update', (event) => {
  if (!here() && !elsewhere()) return;
  event.preventDefault();
  if (elsewhere() || answer.restores) return;
  update = event.detail.history;
  if (answer.entry || isAnother(update.path, answer.request)) update.type = 'push';
  if (isPlaying()) update.path = openEnded(update.path);
});

document.addEventListener('htmx:before:history:restore', (event) => {
  if (!here()) return;
  event.preventDefault();
  const restores = {};
  const { size, points } = fields();
  const values = { size, points, kept: history.state.run ?? '' };
  wanted = restores;
  pause();
  inTurn(() => ask('GET', event.detail.path, { restores, values }));
});

document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
  if (ctx.restores && ctx.restores === wanted) {
    entry = history.state?.entry;
    keepRun();
  }
});
