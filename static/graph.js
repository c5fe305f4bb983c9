// The page of a formula's graph: sliders that redraw as they are dragged, keys for the walk, a drawing that fits a phone.
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

document.addEventListener('input', ({ target }) => {
  const field = target.dataset?.of && document.getElementById(target.dataset.of);
  if (field) { field.value = target.value; ask(); }
});
document.addEventListener('change', ({ target }) => {
  if (target.matches?.('#graph select, #graph .value input:not([type="range"]), #little-step input')) ask();
});

document.addEventListener('keydown', (event) => {
  if (event.target.matches?.('input, textarea, select') || event.ctrlKey || event.metaKey || event.altKey) {
    if (event.target.id === 'source' && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) ask();
    return;
  }
  const button = { ArrowRight: 'graph-next', ArrowLeft: 'graph-back' }[event.key];
  if (!button) return;
  event.preventDefault();
  document.getElementById(button).click();
});

document.documentElement.classList.add('js');
const narrow = matchMedia('(max-width: 760px)');
function fit() {
  const size = form().elements.size;
  const wanted = narrow.matches ? 's' : 'l';
  if (size.value !== wanted) { size.value = wanted; ask(); }
}
narrow.addEventListener('change', fit);
addEventListener('load', fit);
document.documentElement.dataset.ready = 'yes';
