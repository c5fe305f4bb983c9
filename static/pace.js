// How fast Play goes. Time decides, and not how fast frames come: a slow line or a busy server has fewer of them, each
// further on than the one before it.
const FRAME = 1000 / 60; // ms
const MOST = 40; // frames in one answer
const CALM = 240; // ms in which the first few steps are seen one by one
const FIRST = 4;
const DOUBLES = 60; // ms in which it then goes twice as fast, from a quarter of an epoch a frame
const FASTEST = 5; // epochs a frame
const LONG = 1000; // ms; who waits longer for an answer asks for less

export class Pace {
  constructor(epoch) {
    Object.assign(this, { epoch, wait: 80, drawn: FRAME, share: 1, owed: 0 });
  }

  // Steps per millisecond after so much of Play.
  rate(time) {
    if (time < CALM) return FIRST / CALM;
    const faster = Math.min(FASTEST, 0.25 * 2 ** ((time - CALM) / DOUBLES));
    return Math.max(FIRST / CALM, (this.share * faster * this.epoch) / FRAME);
  }

  // Between two frames: as the screen, the browser and the server can.
  get gap() {
    return Math.max(FRAME, this.drawn, (1.25 * this.wait) / MOST);
  }

  // So much has to be there for the next answer to come in time.
  get ahead() {
    return 1.25 * this.wait + 2 * FRAME;
  }

  // The next frames: how many steps each is on, and how long it stays. `speed` is a number of steps, or none.
  next(time, speed) {
    const counts = [];
    const gaps = [];
    for (let total = 0; counts.length < MOST && total < this.ahead; total += gaps.at(-1)) {
      const rate = this.rate(time + total);
      gaps.push(speed ? this.gap : Math.max(this.gap, 1 / rate));
      this.owed = speed || this.owed + rate * gaps.at(-1);
      counts.push(Math.max(1, Math.floor(this.owed + 1e-6)));
      this.owed = Math.max(0, this.owed - counts.at(-1));
    }
    return { counts, gaps };
  }

  // Of heavy networks not all that was asked for comes in time: then less of it keeps the frames coming.
  waited(ms, whole) {
    this.wait = ms > this.wait ? ms : 0.7 * this.wait + 0.3 * ms;
    if (ms > LONG || !whole) this.share = Math.max(1 / 64, this.share / 2);
    else if (ms < LONG / 3) this.share = Math.min(1, this.share * 1.25);
  }

  painted(ms) {
    if (ms < 250) this.drawn = 0.9 * this.drawn + 0.1 * ms;
  }
}
