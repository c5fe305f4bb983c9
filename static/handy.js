// What lies at hand, once the page obeys: a unit's picture large in Output, fewer and more units over their layer, features
// to switch beside the inputs, and the way back after a change that starts again. All of it stands in the controls, too.
/* global htmx */
import { fields, number, run, state, ROOT } from './view.js';
import { say } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';
const sheet = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: new URL('./handy.css', import.meta.url).href });
const drawn = (name, given) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(given)) element.setAttribute(key, value);
  return element;
};
const button = (text, label, act) => {
  const made = Object.assign(document.createElement('button'), { type: 'button', textContent: text, title: label });
  made.setAttribute('aria-label', label);
  made.addEventListener('click', act);
  return made;
};

// A unit pointed at: its picture fills Output, the whole network's stays small in a corner.
let unit = null;
function enlarge() {
  document.getElementById('large')?.remove();
  const paper = document.querySelector('#output-surface');
  const node = unit && document.getElementById(unit);
  const tile = node?.querySelector('svg use[href="#sprite"]');
  if (!tile || !paper) return;
  const side = document.getElementById('sprite').getAttribute('width');
  const [x, y] = [Number(paper.getAttribute('x')), Number(paper.getAttribute('y'))];
  const large = drawn('g', { id: 'large', 'aria-hidden': 'true' });
  const picture = drawn('svg', { x, y, width: 240, height: 240, viewBox: `0 0 ${side} ${side}` });
  picture.append(drawn('use', { href: '#sprite', y: tile.getAttribute('y') }));
  const edge = { x: x + 4, y: y + 178, width: 58, height: 58 };
  const whole = drawn('image', { ...edge, preserveAspectRatio: 'none', href: paper.getAttribute('href') });
  const name = drawn('text', { x: x + 8, y: y + 20 });
  name.textContent = node.querySelector('.said').textContent;
  large.append(picture, drawn('rect', { ...edge, class: 'plot-paper' }), whole, drawn('rect', { ...edge, class: 'plot-edge' }), name);
  document.getElementById('points').before(large);
}
function point(event) {
  const id = event.target.closest?.('#net .node')?.id ?? null;
  if (id === unit) return;
  unit = id;
  enlarge();
}
for (const kind of ['pointerover', 'focusin', 'focusout']) document.addEventListener(kind, point);

// Over each hidden layer stands how many units it has, with fewer and more; beside the inputs, features to switch.
const press = (value) => document.querySelector(`#settings [name="change_layers"][value="${value}"]`)?.click();
const middle = (layer) => {
  const edges = [...document.querySelectorAll(`#layer-${layer} .edge`)];
  const [first, last] = [edges[0], edges.at(-1)].map((edge) => edge.getBoundingClientRect());
  return { left: first.left, width: last.right - first.left };
};

// What can be put between two layers, or changed of one, comes from the server when it is asked for.
async function offer(at, from) {
  const asked = new URLSearchParams({ ...fields(), ...at });
  const answer = await fetch(`${ROOT}/runs/${run()}/layers?${asked}`, { headers: { 'HX-Request': 'true' } });
  if (!answer.ok) return;
  const panel = document.getElementById('layering') ?? Object.assign(document.createElement('div'), { id: 'layering', popover: 'auto' });
  panel.innerHTML = await answer.text();
  document.body.append(panel);
  htmx.process(panel);
  panel.showPopover();
  const { left, bottom } = from.getBoundingClientRect();
  panel.style.left = `${Math.max(8, Math.min(left, innerWidth - panel.offsetWidth - 8))}px`;
  panel.style.top = `${Math.max(8, Math.min(bottom + 6, innerHeight - panel.offsetHeight - 8))}px`;
  panel.querySelector('select, button:enabled')?.focus();
}

function layerHead(layer, units, few) {
  const head = document.createElement('span');
  const count = button('', say('layer-change', { layer, units }), () => offer({ at: layer }, count));
  count.append(Object.assign(document.createElement('b'), { textContent: units }));
  const fewer = button('−', say('units-fewer', { layer }), () => press(`less:${layer}`));
  fewer.disabled = units === '1';
  head.append(...(few ? [count] : [fewer, count, button('+', say('units-more', { layer }), () => press(`more:${layer}`))]));
  return head;
}

function layers(heads, left) {
  const last = document.querySelectorAll('#layers > g').length - 1;
  if (last < 1 || !document.getElementById('settings')) return;
  const dense = [...document.querySelectorAll('#settings .layers .units')].map((field) => field.value);
  const wide = (middle(last).left - middle(0).left) / last;
  if (wide < 56) return;
  const place = (head, x) => {
    head.style.left = `${Math.round(x - left)}px`;
    heads.append(head);
  };
  for (let layer = 0; layer < last; layer++) {
    const [{ left: at, width }, next] = [middle(layer), middle(layer + 1)];
    const units = dense[layer - 1] ?? String(document.querySelectorAll(`#layer-${layer} > .node`).length);
    if (layer) place(layerHead(layer, units, wide < 150 || !dense.length), at + width / 2);
    const more = document.createElement('span');
    const add = button('+', say('layer-add', { layer: layer + 1 }), () => offer({ at: layer, adding: 1 }, add));
    add.className = 'between';
    more.append(add);
    place(more, (at + width + next.left) / 2);
  }
}

function switchOf(box, on) {
  const name = box.nextElementSibling.textContent.replace(/[()]/g, ' ').trim(); // said as it is written on the button
  const made = button(on ? '×' : `+ ${name}`, on ? say('feature-take', { feature: name }) : say('feature-add', { feature: name }), () => box.click());
  made.className = on ? 'feature on' : 'feature';
  return made;
}

function features(heads, top, left) {
  const boxes = [...document.querySelectorAll('#settings [name="features"]')];
  const on = boxes.filter((box) => box.checked);
  const nodes = [...document.querySelectorAll('#layer-0 .edge')].map((edge) => edge.getBoundingClientRect());
  if (!boxes.length || nodes.length !== on.length) return;
  const put = (made, x, y) => {
    Object.assign(made.style, { left: `${Math.round(x - left)}px`, top: `${Math.round(y - top)}px` });
    heads.append(made);
  };
  if (on.length > 1 && nodes[0].width > 30) on.forEach((box, k) => put(switchOf(box, true), nodes[k].right - 13, nodes[k].bottom - 13));
  const { left: from, bottom } = nodes.at(-1);
  const end = document.querySelector('#captions text').getBoundingClientRect().top;
  const off = boxes.filter((box) => !box.checked);
  const [x, y] = [from - 44, bottom + 26];
  if (nodes[0].width < 44 || y + 30 * Math.ceil(off.length / 2) > end) return;
  off.forEach((box, k) => put(switchOf(box, false), x + 62 * (k % 2), y + 30 * Math.floor(k / 2)));
}

let last = '';
function heads() {
  const place = document.getElementById('heads');
  if (!place || !document.getElementById('settings')) return;
  const net = document.getElementById('net').getBoundingClientRect();
  const walks = Boolean(document.getElementById('faces'));
  const now = [run(), walks, net.left, net.top - place.getBoundingClientRect().top, net.width, net.height, document.querySelectorAll('#settings .units').length].join();
  if (now === last) return;
  last = now;
  const held = place.contains(document.activeElement) && document.activeElement.title;
  place.replaceChildren();
  document.getElementById('layering')?.remove();
  if (walks) return;
  const { left, top } = place.getBoundingClientRect();
  layers(place, left);
  features(place, top, left);
  if (held) [...place.querySelectorAll('button')].find((each) => each.title === held)?.focus();
}

// Where the receipt lies over the drawing, as on a phone, what it speaks of comes clear of it, once.
let told = '';
function clear() {
  const [receipt, chosen] = [document.getElementById('receipt'), document.querySelector('#net .sel')];
  const now = receipt && !receipt.hidden && chosen ? chosen.id : '';
  if (now === told) return;
  told = now;
  if (!now) return;
  const [sheet, box] = [receipt.getBoundingClientRect(), chosen.getBoundingClientRect()];
  const under = box.bottom + 16 - sheet.top;
  if (sheet.left < box.right && sheet.right > box.left && under > 0) scrollBy(0, under);
}

// A change that starts again has a way back: the run before is kept, and its entry of the history leads to it.
let before = null;
const hideUndo = () => document.getElementById('undo')?.remove();
document.addEventListener('htmx:before:request', ({ detail: { ctx: { request, restores } } }) => {
  const starts = !restores && (request.action === `${ROOT}/runs` || request.action.startsWith(`${ROOT}/?`));
  before = starts && Number(state().head) ? { run: run(), steps: number('step') } : null;
  if (request.method === 'POST' || restores) hideUndo();
});
function offerUndo() {
  if (!before || before.run === run()) return;
  const says = Object.assign(document.createElement('span'), { textContent: say('network-new', before) });
  says.setAttribute('role', 'status');
  const bar = Object.assign(document.createElement('div'), { id: 'undo' });
  bar.append(says, button(say('undo'), say('undo-run'), () => { hideUndo(); history.back(); }), button('×', say('network-kept'), hideUndo));
  before = null;
  document.body.append(bar);
}

// The line that invites goes with the first Play.
document.addEventListener('htmx:before:request', ({ detail: { ctx: { plays } } }) => {
  if (!plays) return;
  document.documentElement.classList.add('seen');
  try {
    localStorage.setItem('played', '1');
  } catch { /* then every visit is the first */ }
});

sheet.addEventListener('load', () => { last = ''; heads(); clear(); });
document.head.append(sheet);
document.addEventListener('htmx:after:swap', () => {
  enlarge();
  heads();
  clear();
  offerUndo();
});
new ResizeObserver(heads).observe(document.getElementById('diagram'));
