// What changes on a screen is said by one live region: screen readers follow only a region that was there before its text.
const PAUSE_MS = 100;
let waiting;

export function announce(text) {
  const region = document.getElementById("announcement");
  clearTimeout(waiting);
  // The same text twice is two announcements only if the region was empty between them.
  region.textContent = "";
  waiting = setTimeout(() => (region.textContent = text), PAUSE_MS);
}

// What a part of a screen has to say: its elements with data-announce.
export function readNews(part) {
  const texts = [...part.querySelectorAll("[data-announce]")].map((element) => element.textContent);
  return texts.join(" ").replace(/\s+/g, " ").trim();
}
