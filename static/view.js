// What is looked at: the fields of the view form, and the one way to ask the server for another view of the run.
/* global htmx */
// Where the app lies, as root.js has it, which would weigh more.
export const ROOT = new URL(import.meta.url).pathname.split('/static/')[0];
// A class's pages have one address each.
export const here = () => location.pathname === ROOT + '/';
export const form = () => document.getElementById('view');
// Not on the form: a form's own dataset hides behind its field of that name.
export const state = () => document.getElementById('bar').dataset;
export const run = () => state().run;
export const step = () => Number(state().step);
// Which moment of the walkthrough is on screen, or null.
export const moment = () => {
  const { moment: index } = document.getElementById('walk').dataset;
  return index === '' ? null : Number(index);
};
export const fields = () => Object.fromEntries(new FormData(form()));
const made = () => new Set([...document.querySelectorAll('#view input:not(.v)')].map((field) => field.name));
export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
// Fields of the form that are no part of what is looked at.
export const ASIDE = ['size', 'points', 'head', 'key'];

// When the last frame goes to the screen; what comes next may then travel while it is painted.
export const painted = () => new Promise((done) => requestAnimationFrame(done));

export const target = { source: '#frame', target: '#frame', swap: 'innerMorph' };

// In a frame on another page there is no run of one's own: what is looked at, steps too, is in the address alone.
const framed = () => form().getAttribute('hx-get') === ROOT + '/embed';

// Ends when the request is answered, also if it had to wait in line: htmx's own promise then ends at once.
export function ask(method, address, options) {
  return new Promise((answered, failed) => { htmx.ajax(method, address, { ...target, ...options, answered }).catch(failed); });
}
document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => ctx.answered?.());

export function show(changes, options = {}) {
  return ask('GET', form().getAttribute('hx-get'), { ...options, values: { ...fields(), ...changes } });
}

export function advance(count, changes = {}, options = {}) {
  if (framed()) return show({ ...changes, step: Math.max(0, step() + count), moment: '' }, options);
  return ask('POST', `${ROOT}/runs/${run()}/step`, { ...options, values: { ...fields(), ...changes, count } });
}

// Frames of Play from a step on: the answer, or null if it was refused. Of its markup nothing is shown yet.
const NOTHING = '<hx-partial hx-target="#says" hx-swap="none"></hx-partial>';
export async function playOn(counts, from) {
  let told = null;
  const unpacked = async (...request) => {
    const answer = await fetch(...request);
    if (!answer.headers.get('Content-Type')?.startsWith('application/json')) return answer;
    told = await answer.json();
    return new Response(NOTHING, { status: answer.status, headers: answer.headers });
  };
  const [values, options] = [{ ...fields(), quick: 1, frames: counts.join() }, { fetch: unpacked, plays: true }];
  if (framed()) await show({ ...values, step: from, moment: '' }, options);
  else await ask('POST', `${ROOT}/runs/${run()}/step`, { ...options, values });
  return told;
}

// Only if the run still stands at `head`: what another tab has done meanwhile stays.
export const backTo = (to, head) => (framed() ? toHead() : ask('POST', `${ROOT}/runs/${run()}/rewind`, { values: { ...fields(), to, head } }));

export const toHead = () => show({ step: framed() ? step() : '', moment: '' });

// What the run is made of stands in the form for the address and for pages without script; the server knows it from the
// run's name, and long data would outgrow a request's head. A run that nobody has acted on has no name: its link goes
// along in a field of its own. A click has a key, which it keeps when it has to be sent again, so that it counts once.
const UNSAVED = ROOT + '/runs/new/';
const word = (number) => number.toString(36);
document.addEventListener('htmx:config:request', ({ detail: { ctx: { request, sourceElement } } }) => {
  delete request.headers['HX-Current-URL'];
  request.referrerPolicy = 'origin';
  if (request.method === 'POST') request.headers['Idempotency-Key'] = [...crypto.getRandomValues(new Uint32Array(4))].map(word).join('');
  if (!request.action.startsWith(ROOT + '/runs/')) return;
  const names = made();
  if (!sourceElement.closest('#settings')) names.forEach((name) => request.body.delete(name));
  if (!request.action.startsWith(UNSAVED)) return;
  const looked = new FormData(form());
  request.body.set('link', new URLSearchParams([...looked].filter(([name]) => names.has(name))));
});

// The drawing's new size may wait in line behind other wishes: what they have led to stays.
function asNow(action) {
  const address = new URL(action, location.href);
  const { size, link } = Object.fromEntries(address.searchParams);
  const apart = action.startsWith(ROOT + '/runs/') ? made() : new Set();
  const now = Object.entries(fields()).filter(([name]) => !apart.has(name));
  address.search = new URLSearchParams({ ...Object.fromEntries(now), ...(link && { link }), size });
  return address.pathname + address.search;
}

// What has waited in line for the first deed goes to the run that it has made. In a class what is opened is shown to
// others or handed in: it is a run at once.
document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
  const { request } = ctx;
  if (ctx.fits) request.action = asNow(request.action);
  if (request.action.startsWith(UNSAVED)) request.action = request.action.replace(UNSAVED, `${ROOT}/runs/${run()}/`);
  if (request.action.startsWith(ROOT + '/?') && document.getElementById('strip')) {
    Object.assign(request, { method: 'POST', action: ROOT + '/runs', body: new URLSearchParams(request.action.split('?')[1]) });
  }
  if (request.method === 'POST') ctx.fetch = sentAgain(ctx.fetch);
});

const RETRIES = [300, 1500];
const sentAgain = (send) => async function sent(...request) {
  for (const pause of RETRIES) {
    try {
      return await send(...request);
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      await new Promise((done) => { setTimeout(done, pause); });
    }
  }
  return send(...request);
};

// Only the newest of many wishes is asked for, the next when the last is on screen.
export function latest(ask) {
  let wanted = null;
  let busy = false;
  return async function want(value) {
    wanted = { value };
    if (busy) return;
    busy = true;
    while (wanted) {
      const { value: now } = wanted;
      wanted = null;
      await ask(now);
      await painted();
    }
    busy = false;
  };
}

export function announce(text) {
  document.getElementById('says').textContent = text;
}

export function number(name) {
  return document.querySelector(`#number-${name} dd`)?.textContent ?? '';
}

// The drawing is laid out for the room it has; text in it stays at its size.
export function fit() {
  const { clientWidth: width, clientHeight: height } = document.getElementById('diagram');
  const faces = document.querySelector('#faces.rows');
  if (faces && getComputedStyle(faces).display !== 'flex') return undefined; // its style is on its way
  const room = () => `${Math.floor((width - 38) / 10) * 10}x${Math.floor((height - 4) / 10) * 10}`;
  const size = faces ? room() : width < 450 ? 's' : width < 700 ? 'm' : 'l';
  const field = form().elements.namedItem('size');
  if (field.value !== size) {
    field.value = size;
    return show({ size }, { fits: true });
  }
  return undefined;
}
