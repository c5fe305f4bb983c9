// A place of a feature map is chosen while one walks number by number: by a click on the map, which selects its channel
// as well, or by Shift and an arrow key, from the place that is told of. The chosen one clicked again is let go.
import { address } from './diagram.js';
import { fields, moment, show } from './view.js';

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const chooses = () => moment() !== null && fields().grain === 'operation';
const sides = (map) => map.getAttribute('viewBox').split(' ').slice(2).map(Number);
const inside = (at, length) => Math.min(Math.max(at, 1), length);

document.addEventListener('click', (event) => {
  const node = event.target.closest?.('#net .node');
  const map = node?.querySelector('.map');
  if (!map || !chooses()) return;
  event.stopImmediatePropagation();
  const box = node.querySelector('.back').getBoundingClientRect();
  const [wide, high] = sides(map);
  const row = inside(Math.ceil(((event.clientY - box.top) / box.height) * high), high);
  const column = inside(Math.ceil(((event.clientX - box.left) / box.width) * wide), wide);
  const place = [address(node), row, column].join('.');
  show({ select: address(node), place: place === fields().place ? '' : place });
}, true);

document.addEventListener('keydown', (event) => {
  const told = document.getElementById('walk').dataset.place;
  if (!event.shiftKey || !MOVES[event.key] || !told || !chooses() || event.target.closest('input, select, textarea, dialog')) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const [layer, channel, row, column] = told.slice(1).split('.').map(Number);
  const [wide, high] = sides(document.querySelector(`#node-${layer}-${channel} .map`));
  const [down, across] = MOVES[event.key];
  show({ place: `a${[layer, channel, inside(row + down, high), inside(column + across, wide)].join('.')}` });
}, true);
