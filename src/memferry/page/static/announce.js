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

// What a part of a screen has to say: its elements with data-announce, without their signs.
export function readNews(part) {
  const copies = [...part.querySelectorAll("[data-announce]")].map((element) => element.cloneNode(true));
  for (const copy of copies) for (const sign of copy.querySelectorAll("[aria-hidden]")) sign.remove();
  return copies.map((copy) => copy.textContent).join(" ").replace(/\s+/g, " ").trim();
}
