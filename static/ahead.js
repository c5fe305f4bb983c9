// Moments of the walkthrough are there before they are asked for: when one is on screen, the next in its direction is
// fetched and its markup is read, and the last few are kept. What is done to the run makes them void; what is looked at is
// in their address.
const FEW = 8;
const kept = new Map(); // by address
const idle = window.requestIdleCallback ?? setTimeout;
let last = null;

// Every form that is drawn has a key of its own, which says nothing to who only looks.
const known = (address) => new URLSearchParams([...new URL(address, location.href).searchParams].filter(([name]) => name !== 'key').sort());

function ask(address, request) {
  const key = String(known(address));
  const found = kept.get(key) ?? answered(fetch(address, request));
  kept.delete(key);
  kept.set(key, found);
  found.then((answer) => answer.status === 200 || kept.delete(key), () => kept.delete(key));
  for (const old of [...kept.keys()].slice(0, -FEW)) kept.delete(old);
  return found;
}

async function answered(coming) {
  const answer = await coming;
  return { status: answer.status, headers: answer.headers, text: await answer.text(), markup: null };
}

// While nobody waits. A swap uses it up; what has parts for elsewhere is left to htmx.
function read(answer) {
  if (answer.status !== 200 || /<hx-|<title/.test(answer.text)) return;
  answer.markup ??= Document.parseHTMLUnsafe?.(`<template>${answer.text}</template>`).querySelector('template').content;
}

function prepare(address, { headers, referrerPolicy }) {
  ask(address, { headers, referrerPolicy }).then((answer) => idle(() => read(answer)), () => {});
}

export async function fetchAhead(address, request) {
  const answer = await ask(address, request);
  const moment = Number(known(address).get('moment'));
  const next = moment + (last !== null && moment < last ? -1 : 1);
  last = moment;
  if (answer.status === 200 && next >= 0 && next < Number(document.getElementById('walk').dataset.total)) {
    const there = new URL(address, location.href);
    there.searchParams.set('moment', next);
    requestAnimationFrame(() => setTimeout(prepare, 0, there.href, request)); // when this one is on screen
  }
  const { status, headers, text, markup } = answer;
  answer.markup = null;
  // Read out already: a body of its own would go round by another thread.
  return Object.assign(new Response(null, { status, headers }), { markup, text: async () => (markup ? '' : text) });
}

document.addEventListener('htmx:before:swap', ({ detail: { ctx, tasks } }) => {
  if (ctx.response?.raw.markup) tasks[0].fragment = ctx.response.raw.markup;
});

document.addEventListener('htmx:before:request', ({ detail: { ctx: { request } } }) => {
  if (request.method === 'POST') kept.clear();
});
