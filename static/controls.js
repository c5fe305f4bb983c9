// Controls: sliders tell their value while they move, and the pad of "my data" takes points by click or key.
document.addEventListener('input', (event) => {
  const slider = event.target;
  const output = slider.matches?.('.slider input') && document.getElementById(`o-${slider.name}`);
  if (!output) return;
  const value = Number(slider.value);
  output.textContent = slider.dataset.unit === '%' ? `${Math.round(100 * value)} %` : slider.step.includes('.') ? value.toFixed(2) : String(value);
});

const svg = (name, attributes) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

const pad = document.getElementById('pad');
const csv = document.getElementById('csv');
const cross = { x: 0, y: 0 };
const NUMBER = /^\s*-?[\d.]+(e-?\d+)?\s*$/i;

function rows() {
  return csv.value.split('\n').map((line) => line.split(/[,;\t ]+/)).filter((cells) => cells.length === 3 && cells.every((c) => NUMBER.test(c))).map((cells) => cells.map(Number));
}

function drawPad() {
  const points = rows().map(([x, y, k]) => svg('circle', { cx: x, cy: -y, r: 0.17, class: k > 0 ? 'p' : 'n' }));
  document.getElementById('pad-points').replaceChildren(...points);
}

function place(x, y) {
  const lines = rows();
  const hit = lines.findIndex((row) => Math.hypot(row[0] - x, row[1] - y) < 0.3);
  if (hit >= 0) lines.splice(hit, 1);
  else lines.push([x, y, Number(document.querySelector('[name="pen"]:checked').value)]);
  csv.value = lines.map((row) => row.map((v) => +v.toFixed(2)).join(', ')).join('\n');
  drawPad();
}

pad.addEventListener('click', (event) => {
  const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(pad.getScreenCTM().inverse());
  place(at.x, -at.y);
});
pad.addEventListener('keydown', (event) => {
  const [dx, dy] = { ArrowLeft: [-0.5, 0], ArrowRight: [0.5, 0], ArrowUp: [0, 0.5], ArrowDown: [0, -0.5] }[event.key] ?? [0, 0];
  if (event.key === 'Enter' || event.key === ' ') place(cross.x, cross.y);
  else if (!dx && !dy) return;
  event.preventDefault();
  cross.x = Math.min(6, Math.max(-6, cross.x + dx));
  cross.y = Math.min(6, Math.max(-6, cross.y + dy));
  document.getElementById('pad-cross').setAttribute('transform', `translate(${cross.x} ${-cross.y})`);
});
csv.addEventListener('input', drawPad);
document.getElementById('pad-clear').addEventListener('click', () => {
  csv.value = '';
  drawPad();
});

export function closeData() {
  document.getElementById('error-csv').textContent = '';
  document.getElementById('mydata').close();
}

// Of two controls that do not suit each other the one touched last counts: a loss brings its output along.
document.addEventListener('change', ({ target }) => {
  if (target.form?.id === 'settings' && target.name) document.getElementById('touched').value = target.name;
}, true);

// The server's answer is what is chosen, also where a person has chosen before.
document.addEventListener('htmx:after:swap', () => {
  for (const option of document.querySelectorAll('#settings option')) {
    if (option.defaultSelected && !option.selected) option.selected = true;
  }
  for (const box of document.querySelectorAll('#settings [type="checkbox"]')) box.checked = box.defaultChecked;
});
