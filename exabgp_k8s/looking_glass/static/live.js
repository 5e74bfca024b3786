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

// Where the focus is, in words that still fit when all elements are new ones.
function focusIn(main) {
  const at = document.activeElement;
  if (!main.contains(at) || at === main) return () => {};
  const alike = () => [...main.querySelectorAll(at.localName)].filter(
    (each) => each.id === at.id && each.getAttribute("href") === at.getAttribute("href"));
  const number = alike().indexOf(at);
  const top = at.getBoundingClientRect().top;
  return () => {
    const found = alike()[number];
    if (!found) return;
    found.focus({ preventScroll: true });
    scrollBy({ top: found.getBoundingClientRect().top - top, behavior: "instant" });
  };
}

function replace(part, fresh) {
  if (part.innerHTML === fresh.innerHTML) return;
  const scrolled = [...part.querySelectorAll(".wide")].map((each) => each.scrollLeft);
  part.replaceChildren(...fresh.childNodes);
  [...part.querySelectorAll(".wide")].forEach((each, at) => { each.scrollLeft = scrolled[at] || 0; });
}

// Only the parts that show rows are replaced, so that a form keeps what is typed into it.
function takeOver(page) {
  const main = document.querySelector("main");
  const parts = (root) => [...root.querySelectorAll("[data-live]")];
  const names = (root) => parts(root).map((each) => each.dataset.live).join();
  const focus = focusIn(main);
  document.title = page.title;
  if (names(document) !== names(page)) replace(main, page.querySelector("main"));
  else parts(document).forEach((each, at) => replace(each, parts(page)[at]));
  focus();
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
