// The page of a formula's graph: sliders that redraw as they are dragged, keys for the walk, a drawing that fits a phone.
import { say } from './words.js';

const form = () => document.getElementById('graph');
let busy = false;
let again = false;

function ask() {
  if (busy) { again = true; return; }
  busy = true;
  form().requestSubmit(document.getElementById('draw'));
}

document.addEventListener('htmx:config:request', ({ detail: { ctx: { request } } }) => {
  delete request.headers['HX-Current-URL']; // the form holds it all, and a head has only so much room
});

for (const name of ['htmx:after:swap', 'htmx:error', 'htmx:response:error']) {
  document.addEventListener(name, () => {
    busy = false;
    if (again) { again = false; ask(); }
  });
}

// The score of Predict is kept for the visit, as in the walkthrough: each moment counts once, by its first answer.
const counted = new Set();
function count() {
  const kept = JSON.parse(sessionStorage.getItem('predicted') ?? '{"right":0,"all":0}');
  const judged = document.getElementById('verdict')?.dataset.judged;
  if (judged && !counted.has(location.search)) {
    counted.add(location.search);
    kept.all += 1;
    kept.right += judged === 'right';
    sessionStorage.setItem('predicted', JSON.stringify(kept));
  }
  const place = document.getElementById('score');
  if (place && document.querySelector('#verdict, #foretell')) place.textContent = kept.all ? say('answers-right', kept) : say('answers-none');
}
document.addEventListener('htmx:after:swap', count);
count();

document.addEventListener('input', ({ target }) => {
  const field = target.dataset?.of && document.getElementById(target.dataset.of);
  if (field) { field.value = target.value; ask(); }
});
document.addEventListener('change', ({ target }) => {
  if (target.matches?.('#graph select, #graph .value input:not([type="range"]), #little-step input')) ask();
});

const AHEAD = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
function beside(node, [right, down]) {
  const at = (each) => { const box = each.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; };
  const [x, y] = at(node);
  const far = (each) => {
    const [dx, dy] = at(each).map((place, n) => place - [x, y][n]);
    const ahead = dx * right + dy * down;
    return ahead > 4 ? ahead + 3 * Math.abs(dx * down + dy * right) : Infinity;
  };
  return [...document.querySelectorAll('.vertex')].map((each) => [far(each), each]).sort((a, b) => a[0] - b[0]).find(([away]) => away < Infinity)?.[1];
}
function go(node) {
  const button = document.getElementById('go');
  button.value = node.dataset.to;
  button.click();
}
document.addEventListener('click', ({ target }) => { if (target.closest?.('.vertex')) go(target.closest('.vertex')); });

document.addEventListener('keydown', (event) => {
  const { target, key } = event;
  if (target.id === 'answer' && key === 'Enter') { event.preventDefault(); document.getElementById('say').click(); return; }
  if (target.matches?.('input, textarea, select') || event.ctrlKey || event.metaKey || event.altKey) {
    if (target.id === 'source' && key === 'Enter' && (event.ctrlKey || event.metaKey)) ask();
    return;
  }
  const node = target.closest?.('.vertex');
  const option = document.querySelectorAll('#foretell button[value]')[Number(key) - 1];
  const button = document.getElementById({ ArrowRight: 'graph-next', ArrowLeft: 'graph-back' }[key]);
  if (node && AHEAD[key]) beside(node, AHEAD[key])?.focus();
  else if (node && (key === 'Enter' || key === ' ')) go(node);
  else if (option) option.click();
  else if (button) button.click();
  else return;
  event.preventDefault();
});

document.documentElement.classList.add('js');
const widths = { s: matchMedia('(max-width: 760px)'), m: matchMedia('(max-width: 1420px)') };
function fit() {
  const size = form().elements.size;
  const wanted = Object.keys(widths).find((name) => widths[name].matches) ?? 'l';
  if (size.value !== wanted) { size.value = wanted; ask(); }
}
for (const width of Object.values(widths)) width.addEventListener('change', fit);
addEventListener('load', fit);
document.documentElement.dataset.ready = 'yes';
