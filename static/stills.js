// Frames of Play: values only, each put into its place in the page that is there; between two of them what can move moves.
/* global htmx */
import { calm, state } from './view.js';

// The drawing's values come in the order of its template.
let places = { svg: null, list: [] };

function placesOf(svg) {
  const list = [];
  const put = (element, name, before = '') => {
    if (element) list.push([element, name, before]);
  };
  for (const image of svg.querySelectorAll('defs image')) put(image, 'href');
  for (const link of svg.querySelectorAll('#links .w:not(#chosen-links *)')) {
    put(link, 'class', 'w ');
    put(link, 'stroke-width');
    put(link, 'data-v');
  }
  put(svg.querySelector('#chosen-links'), null);
  for (const arc of svg.querySelectorAll('#arcs .arc')) {
    put(arc, 'class', 'arc');
    put(arc, 'data-v');
  }
  for (const node of svg.querySelectorAll('#layers .node')) {
    put(node, 'class', 'node ');
    put(node, 'data-v');
    const back = node.querySelector('.back[fill-opacity]');
    put(back, 'class', 'back ');
    put(back, 'fill-opacity');
    put(node.querySelector('.curve'), 'd');
    put(node.querySelector('.bias'), 'class', 'bias ');
    put(node.querySelector('.above'), 'text');
    put(node.querySelector('.below'), 'text');
  }
  put(svg.querySelector('#lit-labels'), null);
  return list;
}

function put(element, name, value) {
  if (!element || element.getAttribute(name) === String(value)) return;
  element.setAttribute(name, value);
}

function write(element, text) {
  if (!element || element.textContent === text) return;
  if (element.firstChild?.nodeType === Node.TEXT_NODE) element.firstChild.data = text;
  else element.textContent = text;
}

function placed(svg, values) {
  if (places.svg !== svg || places.list.length !== values.length || !places.list.at(-1)[0].isConnected) {
    places = { svg, list: placesOf(svg) };
  }
  return places.list;
}

export function patch(svg, text) {
  const values = text.split('|');
  placed(svg, values).forEach(([element, name, before], i) => {
    if (name === 'text') write(element, values[i]);
    else if (name) put(element, name, before + values[i]);
  });
}

const svg = (name, attributes, text) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};

function chart({ curves, x, y, now: [across, up], left, right, bottom, top }) {
  document.getElementById('grid')?.replaceChildren(
    ...y.flatMap(([at, label]) => [svg('path', { class: 'grid', d: `M${left} ${at}H${right}` }), svg('text', { class: 'tick y', x: left - 5, y: at + 4 }, label)]),
    ...x.map(([at, label]) => svg('text', { class: 'tick', x: at, y: bottom + 16 }, label)),
  );
  document.querySelectorAll('#curves-of-loss path').forEach((path, i) => put(path, 'd', curves[i]));
  put(document.getElementById('now'), 'd', `M${across} ${top}V${bottom}`);
  put(document.getElementById('now-dot'), 'cx', across);
  put(document.getElementById('now-dot'), 'cy', up);
}

function health(strips) {
  strips.forEach(([length, norm, title], i) => {
    const strip = document.getElementById(`strip-${i + 1}`);
    if (!strip) return;
    put(strip, 'title', title);
    put(strip.querySelector('.norm'), 'width', length);
    write(strip.querySelector('.value'), norm);
  });
}

const facts = () => document.querySelectorAll('#numbers dd');

export function show(frame, head) {
  if (frame.values !== null) patch(document.getElementById('net'), frame.values);
  Object.assign(state(), { step: frame.step, head });
  facts().forEach((place, i) => write(place, frame.numbers[i]));
  if (frame.surface) put(document.getElementById('output-surface'), 'href', frame.surface);
  document.querySelectorAll('#curves .fit').forEach((path, i) => put(path, 'd', frame.curves[i]));
  const scrub = document.getElementById('scrub');
  if (scrub) Object.assign(scrub, { max: frame.step, value: frame.step, disabled: false });
  if (frame.chart) chart(frame.chart);
  if (frame.health) health(frame.health);
  if (frame.rest) rest(frame.rest);
}

// What has no place of its own here comes as markup.
function rest(text) {
  const frame = document.getElementById('frame');
  return htmx.swap({ text, target: frame, sourceElement: frame, swap: 'innerMorph', plays: true });
}

// Between two frames, `share` of the way: links and the depth of colours, the numbers of the bar, and the surfaces, the
// next of which comes up over the one that is there.
const WIDTHS = ['stroke-width', 'fill-opacity'];

export function between(one, next, share) {
  if (calm()) return;
  if (one.values !== null && next.values !== null) {
    one.split ??= one.values.split('|');
    next.split ??= next.values.split('|');
    placed(document.getElementById('net'), one.split).forEach(([element, name], i) => {
      if (!WIDTHS.includes(name)) return;
      const from = Number(one.split[i]);
      element.setAttribute(name, (from + share * (next.split[i] - from)).toFixed(2));
    });
  }
  facts().forEach((place, i) => {
    const from = one.numbers[i];
    const to = next.numbers[i];
    if (!/^[\d,]+(\.\d+)?$/.test(from) || !/^[\d,]+(\.\d+)?$/.test(to)) return;
    const [a, b] = [from, to].map((text) => Number(text.replaceAll(',', '')));
    const digits = (from.split('.')[1] ?? '').length;
    const now = (a + share * (b - a)).toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    write(place, now);
  });
  rise(document.getElementById('output-surface'), next.surface, share);
}

function rise(image, href, share) {
  if (!image || !href) return;
  const over = document.getElementById('output-next') ?? image.cloneNode();
  over.id = 'output-next';
  put(over, 'href', href);
  put(over, 'opacity', share.toFixed(2));
  if (over.previousSibling !== image) image.after(over);
}

export function settle() {
  document.getElementById('output-next')?.remove();
}
