// What a script says to people: messages that a page or a part of it has brought along, with their parts put in.
const MESSAGES = {};
const gather = () => document.querySelectorAll('script.words').forEach((block) => Object.assign(MESSAGES, JSON.parse(block.textContent)));

export function say(name, parts) {
  if (!(name in MESSAGES)) gather();
  return MESSAGES[name].replace(/\{(\w+)\}/g, (_, part) => parts[part]);
}
