// The quiet line that tells when the service does not answer, and that it does again.
let isAway = false;

export function showAway() {
  if (isAway) return;
  isAway = true;
  say("memferry does not answer. What you see may be old; this page keeps trying.");
}

export function showBack() {
  if (!isAway) return;
  isAway = false;
  say("memferry answers again.");
  setTimeout(() => isAway || hide(), 4_000);
}

// For so many milliseconds, or until something else is said.
export function say(text, duration) {
  const banner = document.getElementById("banner");
  banner.textContent = text;
  banner.hidden = false;
  if (duration) setTimeout(() => banner.textContent === text && hide(), duration);
}

function hide() {
  document.getElementById("banner").hidden = true;
}
