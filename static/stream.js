// One stream a page: only the newest state and picture are drawn, older ones never overwrite newer ones.
// It is closed while nobody looks, and opened again by itself after a restart, each page in its own time.

export function follow(root, { state, frame = null }) {
  const drawn = { state: 0, frame: 0 };
  const waiting = { state: null, frame: null };
  const draw = { state, frame };
  const link = document.getElementById('link');
  let source = null;
  let timer = 0;
  let drawing = false;

  async function paint() {
    if (drawing) return;
    drawing = true;
    for (let name = next(); name; name = next()) {
      const { version, data } = waiting[name];
      waiting[name] = null;
      if (version < drawn[name]) continue; // the same may come again: who is here has no number of its own
      drawn[name] = version;
      try {
        await draw[name](JSON.parse(data), version);
      } catch (error) {
        console.error(error); // the next state is drawn all the same
      }
    }
    drawing = false;
  }

  const next = () => (waiting.frame ? 'frame' : waiting.state ? 'state' : null);

  function keep(name, event) {
    if (!draw[name]) return;
    const version = Number(event.lastEventId);
    if (waiting[name] && waiting[name].version > version) return;
    waiting[name] = { version, data: event.data };
    requestAnimationFrame(paint);
  }

  function open() {
    clearTimeout(timer);
    source?.close();
    if (document.hidden) return;
    const { room, screen } = root.dataset;
    source = new EventSource(`/api/v1/rooms/${room}/stream?screen=${screen}&size=${root.dataset.size ?? ''}`);
    source.addEventListener('open', () => { link.textContent = ''; });
    source.addEventListener('state', (event) => keep('state', event));
    source.addEventListener('frame', (event) => keep('frame', event));
    source.addEventListener('closed', over);
    source.addEventListener('bye', () => again(1000, 4000));
    source.addEventListener('error', () => {
      link.textContent = 'Reconnecting…';
      if (source.readyState === EventSource.CLOSED) lost();
    });
  }

  function again(least, spread) {
    source?.close();
    link.textContent = 'Reconnecting…';
    clearTimeout(timer);
    timer = setTimeout(open, least + spread * Math.random());
  }

  function over() {
    source?.close();
    const { room, screen, leaving } = root.dataset;
    if (leaving) return;
    location.replace(`/class/over?room=${room}&screen=${screen}`);
  }

  // The server answered, but not with a stream: the room is closed, or it is full for now.
  async function lost() {
    try {
      const answer = await fetch(`/api/v1/rooms/${root.dataset.room}`);
      if (answer.status === 404) return over();
      if (answer.status === 403) return location.replace(`/class/${root.dataset.room}`); // removed: the page says so
    } catch { /* not there yet */ }
    return again(2000, 4000);
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) source?.close();
    else open();
  });
  addEventListener('pageshow', (event) => { if (event.persisted) open(); });
  open();
  return { reopen: open };
}
