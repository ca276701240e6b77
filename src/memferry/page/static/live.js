// Elements with data-live hold a part of a screen: it is asked for again and again, and replaced when it has changed.
// While the service is away, a quiet banner says so, and the pauses grow.
import { fetchPart, replacePart, Refused, SignedOut } from "./parts.js";
import { showAway, showBack } from "./banner.js";

const LONGEST_PAUSE = 30_000;

export function watchLive() {
  for (const element of document.querySelectorAll("[data-live]")) watch(element);
}

async function watch(element) {
  let pause = Number(element.dataset.every ?? 2_000);
  for (;;) {
    await sleep(pause);
    if (document.hidden) await becomeVisible();
    try {
      replacePart(element, await fetchPart(element.dataset.live));
      showBack();
      pause = Number(element.querySelector("[data-every]")?.dataset.every ?? element.dataset.every ?? 2_000);
    } catch (fault) {
      if (fault instanceof SignedOut) return location.reload();
      if (fault instanceof Refused) return;
      showAway();
      pause = Math.min(2 * pause, LONGEST_PAUSE);
    }
  }
}

const sleep = (pause) => new Promise((wake) => setTimeout(wake, pause));

const becomeVisible = () =>
  new Promise((wake) => document.addEventListener("visibilitychange", wake, { once: true }));
