// What is looked at: the fields of the view form, and the one way to ask the server for another view of the run.
/* global htmx */
export const form = () => document.getElementById('view');
// Not on the form: a form's own dataset hides behind its field of that name.
export const state = () => document.getElementById('bar').dataset;
export const run = () => state().run;
export const step = () => Number(state().step);
export const fields = () => Object.fromEntries(new FormData(form()));
const made = () => new Set([...document.querySelectorAll('#view input:not(.v)')].map((field) => field.name));
export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;
// When the last frame goes to the screen; what comes next may then travel while it is painted.
export const painted = () => new Promise((done) => requestAnimationFrame(done));

export const target = { source: '#frame', target: '#frame', swap: 'innerMorph' };

// In a frame on another page there is no run of one's own: what is looked at, steps too, is in the address alone.
const framed = () => form().getAttribute('hx-get') === '/embed';

// Ends when the request is answered, also if it had to wait in line: htmx's own promise then ends at once.
function ask(method, address, options) {
  return new Promise((answered, failed) => { htmx.ajax(method, address, { ...target, ...options, answered }).catch(failed); });
}
document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => ctx.answered?.());

export function show(changes, options = {}) {
  return ask('GET', form().getAttribute('hx-get'), { ...options, values: { ...fields(), ...changes } });
}

export function advance(count, changes = {}, options = {}) {
  if (framed()) return show({ ...changes, step: Math.max(0, step() + count), moment: '' }, options);
  return ask('POST', `/runs/${run()}/step`, { ...options, values: { ...fields(), ...changes, count } });
}

export const toHead = () => show({ step: framed() ? step() : '', moment: '' });

// What the run is made of stands in the form for the address and for pages without script; the server knows it from the
// run's name, and long data would outgrow a request's head.
document.addEventListener('htmx:config:request', ({ detail: { ctx: { request, sourceElement } } }) => {
  delete request.headers['HX-Current-URL'];
  request.referrerPolicy = 'origin';
  const asView = request.action.startsWith('/runs/') && !sourceElement.closest('#settings');
  if (asView) made().forEach((name) => request.body.delete(name));
});

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
  const width = document.getElementById('diagram').clientWidth;
  const size = width < 450 ? 's' : width < 700 ? 'm' : 'l';
  const field = form().elements.namedItem('size');
  if (field.value !== size) {
    field.value = size;
    return show({ size });
  }
  return undefined;
}
