// Keys: `g` and a letter go to a screen, `/` to the search, j and k along rows, x selects, ? shows them all.
const CHORD_MS = 1_500;
let chordUntil = 0;

const actions = {
  "?": () => document.getElementById("keys").showModal(),
  "/": () => focus(document.querySelector("[data-search]")),
  j: () => moveAlongRows(1),
  k: () => moveAlongRows(-1),
  x: () => findRow()?.querySelector("input[type=checkbox]")?.click(),
  n: () => document.querySelector("[data-key=n]")?.click(),
  e: () => document.querySelector("[data-key=e]")?.click(),
};

export function listenForKeys() {
  document.addEventListener("keydown", handleKey);
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => document.getElementById(button.dataset.opens).showModal());
  }
}

function handleKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (Date.now() < chordUntil) {
    chordUntil = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(event.key)}"]`);
    if (link) return link.click();
  }
  if (event.key === "g") chordUntil = Date.now() + CHORD_MS;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
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
  (next.querySelector("a") ?? next.querySelector("input, button"))?.focus();
  next.scrollIntoView({ block: "nearest" });
}
