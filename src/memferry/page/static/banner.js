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
  say("memferry answers again.", { duration: AGAIN_MS });
}

// For so many milliseconds, or until something else is said; it may lead to the sign-in, in another tab.
export function say(text, { duration, leads } = {}) {
  const banner = document.getElementById("banner");
  banner.textContent = text;
  if (leads) banner.append(" ", makeLink());
  banner.hidden = false;
  announce(text);
  if (duration) setTimeout(() => banner.textContent === text && hide(), duration);
}

function makeLink() {
  const link = document.createElement("a");
  Object.assign(link, { href: "/sign-in", target: "_blank", rel: "noopener", textContent: "Sign in in another tab" });
  return link;
}

function hide() {
  document.getElementById("banner").hidden = true;
}
