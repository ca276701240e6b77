// Keys: `g` and a letter go to a screen, `/` to the search, j and k along rows, x selects, ? shows them all.
// Buttons and links with data-key have one of their own. All can be turned off (WCAG 2.1.4): a voice may type them.
import { giveFocus, leaveField } from "./focus.js";

const CHORD_MS = 1_500;
const OFF = "memferry-keys-off";
let chordUntil = 0;
let areOff = false;

const actions = {
  "?": () => document.getElementById("keys").showModal(),
  "/": () => focus(document.querySelector("[data-search]")),
  j: () => moveAlongRows(1),
  k: () => moveAlongRows(-1),
  x: () => findRow()?.querySelector("input[type=checkbox]")?.click(),
};

export function listenForKeys() {
  document.addEventListener("keydown", handleKey);
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
  }
  watchSwitch(document.getElementById("keys-on"));
}

function watchSwitch(box) {
  try {
    areOff = localStorage.getItem(OFF) !== null;
  } catch {
    // A browser that keeps nothing keeps no choice either.
  }
  box.checked = !areOff;
  box.addEventListener("change", () => {
    areOff = !box.checked;
    if (areOff) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
  });
}

function handleKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "Escape" && isTyping(event.target)) return leave(event);
  if (isTyping(event.target) || areOff) return;
  if (Date.now() < chordUntil) {
    chordUntil = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) return link.click();
  }
  if (event.key === "g") chordUntil = Date.now() + CHORD_MS;
  const action = actions[event.key] ?? findButton(event.key);
  if (!action) return;
  event.preventDefault();
  action();
}

// A search field would be emptied by this key.
function leave(event) {
  event.preventDefault();
  leaveField(event.target);
}

function findButton(key) {
  const button = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  return button?.checkVisibility() ? () => button.click() : undefined;
}

function isTyping(element) {
  return element.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])");
}

function focus(element) {
  element?.focus();
  element?.select?.();
}

function findRow() {
  return document.activeElement?.closest("[data-row]");
}

function moveAlongRows(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const at = rows.indexOf(findRow());
  const next = rows[at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1)];
  giveFocus(next.querySelector("a, summary") ?? next);
  next.scrollIntoView({ block: "nearest" });
}
