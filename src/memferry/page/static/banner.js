// The quiet line that tells when the service does not answer, and that it does again.
import { announce } from "./announce.js";

const AGAIN_MS = 4_000;
let isAway = false;

export function showAway(text) {
  if (isAway && !text) return;
  isAway = true;
  say(text ?? "memferry does not answer. What you see may be old; this page keeps trying.");
}

export function showBack() {
  if (!isAway) return;
  isAway = false;
  say("memferry answers again.", AGAIN_MS);
}

// For so many milliseconds, or until something else is said.
export function say(text, duration) {
  const banner = document.getElementById("banner");
  banner.textContent = text;
  banner.hidden = false;
  announce(text);
  if (duration) setTimeout(() => banner.textContent === text && hide(), duration);
}

function hide() {
  document.getElementById("banner").hidden = true;
}
