// The loss chart as scrubber of time, and the output plot as chooser of examples.
import { latest, show, state, step } from './view.js';
import { pause } from './play.js';

const look = latest((value) => show({ step: value === state().head ? '' : value, moment: '' }));
document.addEventListener('input', async (event) => {
  if (event.target.id !== 'scrub') return;
  await pause();
  look(event.target.value);
});

export function keepScrub() {
  const scrub = document.getElementById('scrub');
  if (scrub && document.activeElement !== scrub) scrub.value = String(step());
}

function place(event, svg) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
}

const points = () => [...document.querySelectorAll('#points circle')];
const middle = (circle) => [circle.cx.baseVal.value, circle.cy.baseVal.value];

document.addEventListener('click', (event) => {
  const plot = event.target.closest?.('#plot');
  if (!plot) return;
  const at = place(event, plot);
  let best = null;
  for (const circle of points()) {
    const [x, y] = middle(circle);
    const far = Math.hypot(x - at.x, y - at.y);
    if (far < 14 && (!best || far < best.far)) best = { far, index: circle.dataset.i };
  }
  if (best) show({ example: best.index });
});

document.addEventListener('change', ({ target }) => {
  if (target.closest('#over')) show({});
});

// Arrow keys go to the nearest point in their direction, Page keys to the example before or after.
const SIDES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function toward(from, [dx, dy]) {
  let best = null;
  for (const circle of points()) {
    const [x, y] = middle(circle);
    const along = (x - from[0]) * dx + (y - from[1]) * dy;
    const aside = Math.abs((x - from[0]) * dy) + Math.abs((y - from[1]) * dx);
    if (along > 0.2 && (!best || along + 2 * aside < best.far)) best = { far: along + 2 * aside, circle };
  }
  return best?.circle;
}

document.addEventListener('keydown', (event) => {
  if (event.target.id !== 'plot') return;
  const ring = document.querySelector('#chosen circle');
  let index = null;
  if (SIDES[event.key]) {
    index = (ring ? toward(middle(ring), SIDES[event.key]) : points()[0])?.dataset.i;
  } else if (event.key === 'PageUp' || event.key === 'PageDown') {
    const now = Number(event.target.getAttribute('aria-valuenow')) + (event.key === 'PageUp' ? -1 : 1);
    index = Math.min(Math.max(now, 0), Number(event.target.getAttribute('aria-valuemax')));
  } else return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (index !== null && index !== undefined) show({ example: index });
});
