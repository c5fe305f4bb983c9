// What the lit links carry comes to their unit: chips open one after the other, each product flies along its link and
// lies down in the stack, then the sum, and what becomes of it. What is pressed meanwhile jumps to the end.
import { calm } from './view.js';

const [OPEN, FLY, LAND, NEXT] = [300, 450, 700, 80];
let seen = '';
const running = []; // kept here: to ask the page for them would have it laid out

function animate(element, frames, timing) {
  const run = element.animate(frames, { easing: 'ease-out', ...timing });
  running.push(run);
  return run;
}

const fade = (element, delay) => animate(element, { opacity: [0, 1] }, { delay, duration: 150, fill: 'backwards' });

function flight(chip, delay, toEnd) {
  const flier = document.createElementNS('http://www.w3.org/2000/svg', 'g');
  const text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
  text.append([...chip.querySelectorAll('tspan')].at(-1).cloneNode(true));
  flier.append(text);
  flier.style.offsetPath = `path("${document.getElementById(chip.dataset.of).getAttribute('d')}")`;
  flier.style.offsetRotate = '0deg';
  chip.parentElement.append(flier);
  const run = animate(flier, { offsetDistance: ['50%', toEnd ? '100%' : '0%'], opacity: [1, 1, 0] }, { delay, duration: 250, fill: 'both' });
  run.finished.then(() => flier.remove(), () => flier.remove());
}

export function fly() {
  const root = document.getElementById('carried');
  if (!root) return; // gone before this script had come
  const now = `${document.getElementById('walk').dataset.moment} ${root.textContent}`;
  if (now === seen) return;
  seen = now;
  running.splice(0).forEach((run) => run.cancel());
  if (calm()) return;
  const [chips, lines] = [[...root.querySelectorAll('.chip')], [...root.querySelectorAll('.line')]];
  chips.forEach((chip, n) => {
    fade(chip, OPEN + NEXT * n);
    if (lines.length) flight(chip, FLY + NEXT * n, root.classList.contains('forward'));
  });
  root.querySelectorAll('.stack > rect').forEach((box) => fade(box, LAND - 100));
  lines.forEach((line, n) => fade(line, LAND + NEXT * n + (line.querySelector('path') ? 100 : 0)));
}
