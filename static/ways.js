// Trace a path: a way from the loss is lit in the diagram while it is pointed at or in focus, its factors numbered there.
import { calm } from './view.js';

const net = () => document.getElementById('net');
const SVG = 'http://www.w3.org/2000/svg';

function middle(element) {
  if (element.getPointAtLength) return element.getPointAtLength(element.getTotalLength() / 2);
  const box = element.querySelector('.edge')?.getBBox() ?? element.getBBox();
  return { x: box.x + box.width, y: box.y + box.height };
}

function badge(number, { x, y }) {
  const group = document.createElementNS(SVG, 'g');
  const circle = group.appendChild(document.createElementNS(SVG, 'circle'));
  const text = group.appendChild(document.createElementNS(SVG, 'text'));
  for (const [name, value] of Object.entries({ cx: x, cy: y, r: 9 })) circle.setAttribute(name, value);
  for (const [name, value] of Object.entries({ x, y: y + 4.3 })) text.setAttribute(name, value);
  text.textContent = number;
  return group;
}

function dark() {
  net().classList.remove('tracing');
  for (const each of net().querySelectorAll('.on-way')) each.classList.remove('on-way');
  document.getElementById('way-numbers')?.remove();
  for (const way of document.querySelectorAll('#ways .on')) way.classList.remove('on');
}

function light(way) {
  dark();
  way.classList.add('on');
  net().classList.add('tracing');
  for (const id of way.dataset.lights.split(' ')) document.getElementById(id)?.classList.add('on-way');
  const numbers = net().appendChild(document.createElementNS(SVG, 'g'));
  numbers.id = 'way-numbers';
  const at = {};
  way.dataset.marks.split(' ').forEach((id, n) => {
    const element = document.getElementById(id);
    if (!element) return;
    const { x, y } = middle(element);
    at[id] = (at[id] ?? -1) + 1; // several factors of one unit stand side by side
    numbers.append(badge(n + 1, { x: x - 19 * at[id], y }));
  });
}

let timer = 0;
function stop() {
  clearTimeout(timer);
  timer = 0;
}

function next(ways, n) {
  if (n === ways.length || !ways[n].isConnected) return dark();
  light(ways[n]);
  timer = setTimeout(next, calm() ? 2600 : 1400, ways, n + 1);
  return undefined;
}

const way = (event) => event.target.closest?.('#ways .way');
for (const kind of ['pointerover', 'focusin', 'click']) {
  document.addEventListener(kind, (event) => {
    if (!way(event)) return;
    stop();
    light(way(event));
  });
}
for (const kind of ['pointerout', 'focusout']) {
  document.addEventListener(kind, (event) => {
    if (way(event) && !event.relatedTarget?.closest?.('#ways .way')) dark();
  });
}
document.addEventListener('click', (event) => {
  if (event.target.id !== 'one-by-one') return;
  stop();
  next([...document.querySelectorAll('#ways .way')], 0);
});
document.addEventListener('htmx:before:swap', () => {
  stop();
  dark();
});
