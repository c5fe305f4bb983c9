// The page in a cell of a notebook: where the notebook has taken a step, the page goes there.
const page = document.getElementById('page');
new EventSource(page.dataset.moves).addEventListener('moved', event => {
  page.contentWindow.location.replace(JSON.parse(event.data));
});
