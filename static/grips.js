// What can be held in a lesson's picture sets the sliders below it, by drag and by the arrow keys.
const STEP = 9; // of the drawing: what a slider rounds to is less
let held = null;

function place(grip) {
  return ['cx', 'cy'].map((name) => Number(grip.getAttribute(name)));
}

function set(grip, x, y) {
  for (const [name, [from, across, down]] of Object.entries(JSON.parse(grip.dataset.sets))) {
    const slider = document.getElementById(`set-${name}`);
    slider.value = from + across * x + down * y;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  }
}

// The picture may be drawn anew while it is held: what is held is known by its name.
document.addEventListener('pointerdown', (event) => {
  if (!event.target.matches?.('.grip[data-sets]') || event.button > 0) return;
  held = event.target.id;
  event.preventDefault();
  event.target.focus();
});
document.addEventListener('pointermove', ({ clientX, clientY }) => {
  const grip = held && document.getElementById(held);
  if (!grip) return;
  const { x, y } = new DOMPoint(clientX, clientY).matrixTransform(grip.getScreenCTM().inverse());
  set(grip, x, y);
});
for (const name of ['pointerup', 'pointercancel']) document.addEventListener(name, () => { held = null; });

const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
document.addEventListener('keydown', (event) => {
  const move = event.target.matches?.('.grip[data-sets]') && MOVES[event.key];
  if (!move) return;
  event.preventDefault();
  const [x, y] = place(event.target);
  const alone = Object.values(JSON.parse(event.target.dataset.sets)).every(([, , down]) => !down);
  set(event.target, x + STEP * (alone ? move[0] - move[1] : move[0]), y + STEP * move[1]);
});
