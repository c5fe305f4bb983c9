// Your data: a file dropped, chosen or pasted is looked at by the server before anything is trained on it. Points placed
// in the square are lines of the same text; a click adds or takes away its own line and leaves all others as they are.
/* global htmx */
import { ROOT } from './root.js';
import { say } from './words.js';
const LOOKED_AT = 300_000; // characters that are looked at while they are typed; of more when asked
const PASTED = 20_000; // characters from which a paste is put in as a whole
const DRAWN = 500; // lines that the square has points for
const WAIT = 450; // ms

let dialog = null;
let asking = null;
let waiting = 0;
let before = []; // texts to go back to

const at = (id) => document.getElementById(id);
const styled = () => document.querySelector('link[href$="data.css"]');

function svg(name, attributes) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// The dialog with the data of the run on screen.
export async function open(address) {
  if (!styled()) {
    const href = new URL('data.css', import.meta.url).href;
    document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href }));
  }
  if (!dialog) {
    dialog = Object.assign(document.createElement('dialog'), { id: 'mydata' });
    dialog.setAttribute('aria-labelledby', 'mydata-title');
    document.body.append(dialog);
  }
  const answer = await fetch(address, { headers: { 'HX-Request': 'true' } });
  dialog.innerHTML = await answer.text();
  htmx.process(dialog);
  dialog.showModal();
  begin(at('mydata-form'));
}

function begin(form) {
  before = [];
  form.addEventListener('input', ({ target }) => {
    if (target.id === 'csv') changed();
  });
  form.addEventListener('change', ({ target }) => {
    if (target.id === 'file') look(false);
    else if (target.id === 'task' || /^(part|kind|name)\./.test(target.name)) look(true);
  });
  form.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !event.target.matches('input.name')) return;
    event.preventDefault(); // a name is said: nothing is trained yet
    event.target.blur();
  });
  form.addEventListener('click', (event) => {
    const choice = event.target.closest('[data-choice]');
    if (!choice && event.target.id !== 'data-look') return;
    event.preventDefault();
    look(Boolean(choice), choice);
  });
  for (const kind of ['dragover', 'dragleave', 'drop']) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      at('drop').classList.toggle('over', kind === 'dragover');
      if (kind === 'drop') dropped(event.dataTransfer);
    });
  }
  at('csv').addEventListener('paste', (event) => {
    const text = event.clipboardData.getData('text/plain');
    if (!event.clipboardData.files.length && text.length < PASTED) return;
    event.preventDefault();
    if (event.clipboardData.files.length) dropped(event.clipboardData);
    else insert(text);
  });
  at('data-undo').addEventListener('click', undo);
  at('pad-clear').addEventListener('click', () => write(''));
  drawing();
  draw();
}

function dropped(transfer) {
  if (transfer.files.length) {
    at('file').files = transfer.files;
    look(false);
  } else if (transfer.getData('text/plain')) write(transfer.getData('text/plain'));
}

function changed() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    draw();
    if (at('csv').value.length <= LOOKED_AT) look(true);
  }, WAIT);
}

// A text that takes the place of another, which can be had back.
function write(text) {
  before.push(at('csv').value);
  at('csv').value = text;
  at('data-undo').disabled = false;
  changed();
}

// A browser pastes line by line, which takes it long for many of them.
function insert(text) {
  const { value, selectionStart, selectionEnd } = at('csv');
  write(value.slice(0, selectionStart) + text + value.slice(selectionEnd));
}

function undo() {
  if (before.length) at('csv').value = before.pop();
  at('data-undo').disabled = !before.length;
  at('file').value = '';
  changed();
}

// What the server understands. With a file its text comes back, so that it can be corrected.
async function look(keep, choice) {
  const form = at('mydata-form');
  const file = at('file').files[0];
  if (!file && !at('csv').value.trim()) return clear();
  clearTimeout(waiting);
  asking?.abort();
  asking = new AbortController();
  const body = new FormData();
  for (const [name, value] of new FormData(form)) {
    if (name === 'file' ? value.size : keep || ['csv', 'run', 'base', 'task'].includes(name)) body.append(name, value);
  }
  if (file) body.delete('csv');
  else body.append('only', 'understood');
  if (choice) body.set(choice.name, choice.value);
  if (choice?.name === 'task') at('task').value = choice.value;
  at('understood').classList.add('asks');
  try {
    const answer = await fetch(`${ROOT}/data`, { method: 'POST', body, signal: asking.signal, headers: { 'HX-Request': 'true' } });
    const text = await answer.text();
    if (answer.status !== 200 && answer.status !== 422) return said(problem(text));
    const found = new DOMParser().parseFromString(text, 'text/html');
    if (file) arrived(found, file);
    else show(found.body, found.querySelector('[data-says]')?.textContent, found.querySelector('[data-sum]')?.innerHTML);
  } catch (error) {
    if (error.name !== 'AbortError') said(say('silent'));
  }
  at('understood')?.classList.remove('asks');
  return undefined;
}

function problem(text) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return say('data-unread');
  }
}

function arrived(found, file) {
  const says = found.querySelector('#error-csv').textContent;
  if (!says) {
    before.push(at('csv').value);
    at('data-undo').disabled = false;
    at('csv').value = found.querySelector('#csv').value;
    document.querySelector('#drop label').textContent = say('data-read', { file: file.name });
  }
  at('file').value = '';
  show(found.querySelector('#understood'), says, found.querySelector('#data-sum').innerHTML);
  draw();
}

function show(part, says, sum) {
  said(says ?? '');
  if (says) return clear(says);
  at('data-sum').innerHTML = sum ?? '';
  const { name } = document.activeElement; // a field that is typed into, or its neighbour, keeps the focus
  at('understood').replaceChildren(...part.childNodes);
  if (/^(part|kind|name)\./.test(name)) at('understood').querySelector(`[name="${name}"]`)?.focus();
  at('understood').querySelector('[data-says]')?.remove();
  return undefined;
}

function clear(says = '') {
  said(says);
  at('understood').replaceChildren();
  at('data-sum').textContent = '';
  at('understood').classList.remove('asks');
}

function said(text) {
  at('error-csv').textContent = text;
}

// The square: for a text whose lines are all two numbers and one of two classes, numbers or words, or empty.
function points() {
  const text = at('csv').value;
  if (text.length > 60 * DRAWN) return null;
  const lines = text.split('\n').map((line, index) => ({ index, line, ...parts(line) })).filter(({ line }) => line.trim());
  if (lines.length && lines[0].cells.every(Number.isNaN)) lines.shift();
  const words = [...new Set(lines.map(({ word }) => word))].sort();
  const named = words.length === 2 && words.every((word) => word && Number.isNaN(Number(word)));
  if (named) for (const { cells, word } of lines) cells[2] = words.indexOf(word);
  const fits = ({ cells }) => cells.length === 3 && cells.every((v) => Math.abs(v) <= 6) && [-1, 0, 1].includes(cells[2]);
  const found = lines.length <= DRAWN && lines.every(fits) ? lines : null;
  if (found && named) found.words = words;
  return found;
}

// The cells of a line as numbers, and its third as it stands.
function parts(line) {
  const cells = line.includes(';') ? line.replaceAll(',', '.').split(';') : line.trim().split(/[,\t ]+/);
  return { cells: cells.map((cell) => (cell.trim() ? Number(cell) : NaN)), word: cells[2]?.trim() ?? '' };
}

function draw() {
  const found = points();
  at('pad-part').hidden = !found;
  at('pad-off').hidden = Boolean(found);
  if (!found) {
    const count = at('csv').value.split('\n').filter((line) => line.trim()).length;
    at('pad-off').textContent = say('square-off', { count: count.toLocaleString('en') });
    return;
  }
  for (const [k, span] of document.querySelectorAll('[name="pen"] + span').entries()) {
    span.dataset.plain ??= span.textContent;
    span.textContent = found.words?.[k] ?? span.dataset.plain;
  }
  at('pad-points').replaceChildren(...found.map(({ cells: [x, y, k] }) => svg('circle', { cx: x, cy: -y, r: 0.17, class: k > 0 ? 'p' : 'n' })));
}

function place(x, y) {
  const found = points();
  if (!found) return;
  const lines = at('csv').value.split('\n');
  const hit = found.find(({ cells }) => Math.hypot(cells[0] - x, cells[1] - y) < 0.3);
  if (hit) lines.splice(hit.index, 1);
  else {
    const { value } = document.querySelector('[name="pen"]:checked');
    const pen = found.words?.[value] ?? value;
    const semicolons = found.some(({ line }) => line.includes(';'));
    const cells = [x, y].map((v) => (semicolons ? String(+v.toFixed(2)).replace('.', ',') : String(+v.toFixed(2))));
    while (lines.length && !lines.at(-1).trim()) lines.pop();
    lines.push([...cells, pen].join(semicolons ? '; ' : ', '));
  }
  write(lines.join('\n'));
  draw();
}

function drawing() {
  const pad = at('pad');
  const cross = { x: 0, y: 0 };
  pad.addEventListener('click', (event) => {
    const where = new DOMPoint(event.clientX, event.clientY).matrixTransform(pad.getScreenCTM().inverse());
    place(where.x, -where.y);
  });
  pad.addEventListener('keydown', (event) => {
    const [dx, dy] = { ArrowLeft: [-0.5, 0], ArrowRight: [0.5, 0], ArrowUp: [0, 0.5], ArrowDown: [0, -0.5] }[event.key] ?? [0, 0];
    if (event.key === 'Enter' || event.key === ' ') place(cross.x, cross.y);
    else if (!dx && !dy) return;
    event.preventDefault();
    cross.x = Math.min(6, Math.max(-6, cross.x + dx));
    cross.y = Math.min(6, Math.max(-6, cross.y + dy));
    at('pad-cross').setAttribute('transform', `translate(${cross.x} ${-cross.y})`);
  });
}

if (at('mydata-form')) begin(at('mydata-form'));
