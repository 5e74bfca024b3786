// Keeps an open page up to date: told that there is something new, it asks for itself again and
// takes over what it shows. What the reader is doing stays: focus, scrolling, a selection, typing.
"use strict";

const SOONEST = 1000; // Milliseconds between two looks: a storm of changes is not a storm of requests.
const AT_LEAST = 30000; // Ages grow old even if nothing else does.
const word = document.getElementById("live");
const announced = document.getElementById("announced");
let looked = Date.now();
let due = null;

function show(state, text) {
  word.dataset.state = state;
  word.textContent = text;
}

function placeOf(element, shown) {
  if (!element || !shown.contains(element)) return null;
  const alike = (root) => [...root.querySelectorAll(element.localName)].filter(
    (each) => each.id === element.id && each.getAttribute("href") === element.getAttribute("href"));
  const number = alike(shown).indexOf(element);
  return (root) => alike(root)[number] || null;
}

function takeOver(page) {
  const shown = document.getElementById("shown");
  const fresh = page.getElementById("shown");
  if (!fresh) return;
  document.title = page.title;
  if (fresh.innerHTML === shown.innerHTML) return;
  const place = placeOf(document.activeElement, shown);
  const scrolled = [...shown.querySelectorAll(".wide")].map((each) => each.scrollLeft);
  const opened = [...shown.querySelectorAll("details")].map((each) => each.open);
  shown.replaceChildren(...fresh.childNodes);
  [...shown.querySelectorAll(".wide")].forEach((each, at) => { each.scrollLeft = scrolled[at] || 0; });
  [...shown.querySelectorAll("details")].forEach((each, at) => { each.open = opened[at] ?? each.open; });
  const found = place && place(shown);
  if (found) found.focus({ preventScroll: true });
}

async function look() {
  due = null;
  looked = Date.now();
  const selection = document.getSelection();
  if (selection && !selection.isCollapsed) return plan(SOONEST);
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    takeOver(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    show("off", "Not live: the server does not answer");
  }
}

function plan(pause) {
  if (due === null) due = setTimeout(look, Math.max(pause, looked + SOONEST - Date.now()));
}

function follow() {
  const told = new EventSource("/live");
  let version = document.documentElement.dataset.version;
  told.onopen = () => show("on", "Live");
  told.onmessage = (message) => {
    const news = JSON.parse(message.data);
    if (String(news.version) === version) return;
    version = String(news.version);
    if (news.said.length) announced.textContent = news.said.join(". ");
    plan(0);
  };
  told.onerror = () => {
    const isOver = told.readyState === EventSource.CLOSED;
    show("off", isOver ? "Not live: looking every 30 seconds" : "Not live: connecting again");
  };
}

document.getElementById("live").hidden = false;
setInterval(() => { if (Date.now() - looked >= AT_LEAST) plan(0); }, 5000);
follow();
