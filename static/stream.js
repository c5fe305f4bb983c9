// What the teacher shows, as it comes: by one stream a page, or, where none gets through, by asking every two seconds.
// Only the newest state and picture are drawn, older ones never overwrite newer ones. It is closed while nobody looks, and
// opened again by itself after a restart, each page in its own time.
import { ROOT } from './root.js';
import { say } from './words.js';

const FIRST = 5000; // a stream that brings nothing for so long after its opening does not get through
const SILENT = 25000; // nor does one that misses two ticks
const ASK = 2000;
const TRY = 60000;
const BROKEN = say('reconnecting');

export function follow(root, { state, frame = null }) {
  const drawn = { state: 0, frame: 0 };
  const waiting = { state: null, frame: null };
  const draw = { state, frame };
  const link = document.getElementById('link');
  let source = null;
  let timer = 0;
  let drawing = false;
  let heard = 0; // when something came last, or the stream was opened
  let patience = FIRST;
  let asking = 0; // which round of questions: the answers of an earlier one do not count
  let picture = '';
  let failed = 0; // when the browser last said that the stream broke: it then opens it again by itself
  let next = 0; // when a stream is tried again that was given up

  async function paint() {
    if (drawing) return;
    drawing = true;
    for (let name = first(); name; name = first()) {
      const { version, read } = waiting[name];
      waiting[name] = null;
      if (version < drawn[name]) continue; // the same may come again: who is here has no number of its own
      drawn[name] = version;
      try {
        await draw[name](read(), version);
      } catch (error) {
        console.error(error); // the next state is drawn all the same
      }
    }
    drawing = false;
  }

  const first = () => (waiting.frame ? 'frame' : waiting.state ? 'state' : null);

  function keep(name, version, read) {
    if (!draw[name] || (waiting[name] && waiting[name].version > version)) return;
    waiting[name] = { version, read };
    requestAnimationFrame(paint);
  }

  const watched = () => new URLSearchParams({ screen: root.dataset.screen, size: root.dataset.size ?? '' });

  function hear() {
    heard = Date.now();
    patience = SILENT;
    failed = 0;
    asking = 0;
    link.textContent = '';
  }

  function listen() {
    source?.close();
    heard = Date.now();
    patience = FIRST;
    failed = 0;
    source = new EventSource(`${ROOT}/api/v1/rooms/${root.dataset.room}/stream?${watched()}`);
    for (const name of ['state', 'frame']) {
      source.addEventListener(name, (event) => {
        hear();
        keep(name, Number(event.lastEventId), () => JSON.parse(event.data));
      });
    }
    source.addEventListener('tick', hear);
    source.addEventListener('closed', over);
    source.addEventListener('bye', () => again(1000, 4000));
    source.addEventListener('error', () => {
      failed = Date.now();
      if (!asking) link.textContent = BROKEN;
      if (source?.readyState === EventSource.CLOSED) lost();
    });
  }

  function open() {
    clearTimeout(timer);
    if (document.hidden) return shut();
    return listen();
  }

  function shut() {
    source?.close();
    source = null;
    asking = 0;
  }

  function again(least, spread) {
    source?.close();
    if (!asking) link.textContent = BROKEN;
    clearTimeout(timer);
    timer = setTimeout(open, least + spread * Math.random());
  }

  function over() {
    shut();
    const { room, screen, leaving } = root.dataset;
    if (leaving) return;
    location.replace(`${ROOT}/class/over?room=${room}&screen=${screen}`);
  }

  // The room is gone, or the teacher has sent this one out: the page that says so.
  function refused(status) {
    if (status === 404) over();
    else if (status === 403) location.replace(`${ROOT}/class/${root.dataset.room}`);
    return status === 404 || status === 403;
  }

  // The server answered, but not with a stream: the room is closed, or it is full for now.
  async function lost() {
    try {
      if (refused((await fetch(`${ROOT}/api/v1/rooms/${root.dataset.room}`)).status)) return;
    } catch { /* not there yet */ }
    again(2000, 4000);
  }

  // Without a stream: what is new since what is drawn.
  async function ask(round) {
    try {
      const since = watched();
      since.set('after', drawn.state);
      since.set('picture', picture);
      const answer = await fetch(`${ROOT}/api/v1/rooms/${root.dataset.room}/news?${since}`, { cache: 'no-store' });
      if (asking !== round || refused(answer.status)) return;
      if (link.textContent === BROKEN) next = 0;
      if (answer.ok) link.textContent = say('slow');
      if (answer.status === 200) {
        const told = await answer.json();
        if (told.frame !== undefined) keep('frame', told.version, () => told.frame);
        picture = told.picture ?? picture;
        keep('state', told.version, () => told.state);
      }
    } catch {
      link.textContent = BROKEN;
    }
    if (asking === round) setTimeout(() => { if (asking === round) ask(round); }, ASK + 500 * Math.random());
  }

  function watch() {
    if (document.hidden) return;
    const now = Date.now();
    if (source && now - heard > patience) {
      if (!asking) {
        asking = now;
        picture = '';
        ask(asking);
      }
      if (now - failed < TRY) return;
      source.close();
      source = null;
      next = now + TRY;
    } else if (!source && asking && now > next) {
      listen();
    }
  }

  document.addEventListener('visibilitychange', open);
  addEventListener('pageshow', (event) => { if (event.persisted) open(); });
  setInterval(watch, 1000);
  open();
  return { reopen: open };
}
