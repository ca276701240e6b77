// Elements with data-live hold a part of a screen: it is asked for again and again, and replaced when it has changed.
// While the service is away, a quiet banner says so, and the pauses grow.
import { fetchPart, replacePart, Refused, SignedOut } from "./parts.js";
import { showAway, showBack } from "./banner.js";
import { pause } from "./pause.js";

const LONGEST_PAUSE = 8_000;

export function watchLive() {
  for (const element of document.querySelectorAll("[data-live]")) watch(element);
}

async function watch(element) {
  let duration = Number(element.dataset.every ?? 2_000);
  for (;;) {
    await pause(duration);
    if (document.hidden) await becomeVisible();
    try {
      replacePart(element, await fetchPart(element.dataset.live));
      showBack();
      duration = Number(element.querySelector("[data-every]")?.dataset.every ?? element.dataset.every ?? 2_000);
    } catch (fault) {
      if (fault instanceof SignedOut) return location.reload();
      if (fault instanceof Refused) return;
      showAway();
      duration = Math.min(2 * duration, LONGEST_PAUSE);
    }
  }
}

const becomeVisible = () =>
  new Promise((wake) => document.addEventListener("visibilitychange", wake, { once: true }));
