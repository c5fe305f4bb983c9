// The drawing: a card at the pointer or the focus, arrow keys from unit to weight to unit, and pulses along the links.
import { calm, show } from './view.js';
import { say } from './words.js';

const net = () => document.getElementById('net');
const card = () => document.getElementById('hover');
const REACH = [[0, 0], [0, 4], [0, -4], [4, 0], [-4, 0], [0, 7], [0, -7]];

function part(element) {
  return element?.closest?.('#net .bias, #net .node, #net .w, #net .arc');
}

function near(x, y) {
  for (const [dx, dy] of REACH) {
    const found = part(document.elementFromPoint(x + dx, y + dy));
    if (found) return found;
  }
  return null;
}

export function address(element) {
  const [kind, ...place] = element.id.split('-');
  return { node: 'a', link: 'W', bias: 'b', arc: 'a' }[kind] + place.join('.');
}

const layerName = (layer) => {
  const last = document.getElementById('layers').children.length - 1;
  return layer === 0 ? say('input') : layer === last ? say('output') : say('hidden', { layer });
};

const called = (layer, unit) => document.querySelector(`#node-${layer}-${unit} .said`).textContent;

function describe(element) {
  const [kind, layer, unit, source] = element.id.split('-');
  const here = unit === '0' ? layerName(Number(layer)) : called(layer, unit);
  if (kind === 'link') {
    const value = element.dataset.v;
    const what = { weights: say('weight', { value }), activations: say('carries', { value }), gradients: `∂L/∂W ${value}`, updates: say('change', { value }) };
    return [`W${layer}.${unit}.${source}  ${what[net().dataset.lens]}`, `${called(layer - 1, source)} → ${here}`];
  }
  if (kind === 'arc') return [say('shortcut', { value: element.dataset.v }), say('added', { unit: here })];
  if (kind === 'bias') return [`b${layer}.${unit}`, say('bias', { unit: here })];
  return [element.querySelector('.said').textContent, element.dataset.v];
}

let shown = null;

function tell(element, x, y) {
  shown?.classList.remove('near');
  shown = element;
  const box = card();
  if (!box) return; // a class's pages have none
  box.hidden = !element;
  if (!element) return;
  element.classList.add('near');
  const [title, more] = describe(element);
  box.replaceChildren(Object.assign(document.createElement('b'), { textContent: title }), Object.assign(document.createElement('i'), { textContent: more }));
  if (x !== undefined) {
    box.style.translate = `${Math.round(Math.min(x + 16, innerWidth - box.offsetWidth - 8))}px ${Math.round(y + 18 + box.offsetHeight > innerHeight ? y - box.offsetHeight - 12 : y + 18)}px`;
  }
}

document.addEventListener('pointermove', (event) => {
  if (event.pointerType === 'touch') return;
  const inside = event.target.closest?.('#net');
  tell(inside ? near(event.clientX, event.clientY) : null, event.clientX, event.clientY);
});

document.addEventListener('click', (event) => {
  if (!event.target.closest?.('#net')) return;
  const found = near(event.clientX, event.clientY);
  if (found) select(found);
});

function select(element) {
  const wanted = address(element);
  return show({ select: wanted.endsWith('.0') ? '' : wanted });
}

// Arrow keys walk the graph: left and right along the links, up and down among neighbours.
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function neighbour(element, [dx, dy]) {
  const [kind, ...place] = element.id.split('-');
  const [layer, unit, source] = place.map(Number);
  const at = (id) => document.getElementById(id);
  if (kind === 'link') {
    if (dx) return at(dx < 0 ? `node-${layer - 1}-${source}` : `node-${layer}-${unit}`);
    return at(`link-${layer}-${unit}-${source + dy}`);
  }
  if (dy) return at(`node-${layer}-${unit + dy}`);
  if (dx > 0) return document.querySelector(`[id^="link-${layer + 1}-"][id$="-${unit}"]`) ?? at(`node-${layer + 1}-1`);
  return at(`link-${layer}-${unit}-1`) ?? at(`node-${layer - 1}-1`) ?? at(`node-${layer - 1}-0`);
}

document.addEventListener('keydown', (event) => {
  const element = part(event.target);
  if (!element || event.target !== element || event.ctrlKey || event.metaKey || event.altKey) return;
  if (MOVES[event.key]) {
    event.preventDefault();
    event.stopImmediatePropagation();
    focus(neighbour(element, MOVES[event.key]));
  } else if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    event.stopImmediatePropagation();
    select(element);
  }
});

export function focus(element) {
  if (!element) return;
  if (element.classList.contains('w')) {
    element.setAttribute('role', 'button');
    element.setAttribute('aria-label', describe(element).join(', '));
  }
  element.focus();
}

document.addEventListener('focusin', (event) => {
  const element = part(event.target);
  if (!element || !event.target.matches(':focus-visible')) return;
  const box = (element.querySelector('.edge') ?? element).getBoundingClientRect(); // a node's own has its whole sprite
  tell(element, box.right, box.top + box.height / 2);
});
document.addEventListener('focusout', (event) => {
  if (part(event.target)) tell(null);
});

export function refreshCard() {
  if (shown?.isConnected) tell(shown);
  else if (shown) tell(null);
}

// Pulses: few, small, in the direction of the data, and only while something is computed.
const FEW = 40;

function pulse(link, tone, delay, time) {
  const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
  dot.setAttribute('r', '3.4');
  dot.setAttribute('class', `pulse ${tone}`);
  dot.style.offsetPath = `path("${link.getAttribute('d')}")`;
  document.getElementById('pulses').append(dot);
  const ends = tone === 'forward' ? ['0%', '100%'] : ['100%', '0%'];
  const run = dot.animate({ offsetDistance: ends, opacity: [0, 1, 1, 0] }, { delay, duration: time, fill: 'both', easing: 'ease-in-out' });
  run.finished.then(() => dot.remove(), () => dot.remove());
}

function some(links) {
  const every = links.length > FEW ? 7 : 1;
  return links.filter((_, i) => i % every === 0).slice(0, FEW);
}

export function pulseStep() {
  if (calm() || document.getElementById('pulses').children.length) return;
  const layers = [...document.querySelectorAll('#links > g')].map((group) => some([...group.children]));
  const time = Math.max(90, Math.min(220, 700 / layers.length));
  layers.forEach((links, k) => links.forEach((link) => pulse(link, 'forward', k * time, time * 1.3)));
  const turn = layers.length * time + 120;
  [...layers].reverse().forEach((links, k) => links.forEach((link) => pulse(link, 'backward', turn + k * time, time * 1.3)));
}

export function pulseMoment() {
  const flow = net().dataset.flow;
  document.getElementById('pulses').replaceChildren();
  if (!flow || calm()) return;
  for (const link of some([...document.querySelectorAll('#links .lit')])) pulse(link, flow, 60, 750);
}
