// How fast something runs, and how long it will take: told by what changed between two looks.
const KEPT = 15;
const number = new Intl.NumberFormat(navigator.languages, { maximumFractionDigits: 0 });

export function watchRates() {
  for (const element of document.querySelectorAll("[data-rates]")) {
    const looks = [];
    const look = () => tellRate(element.querySelector("[data-rate-of]"), looks);
    look();
    new MutationObserver(look).observe(element, { childList: true });
  }
  // A download that has begun must not begin again with the history.
  if (document.querySelector("[data-once]")) history.replaceState(null, "", location.pathname);
}

function tellRate(place, looks) {
  if (!place) return;
  const done = Number(place.dataset.rateOf);
  looks.push({ at: performance.now(), done });
  if (looks.length > KEPT) looks.shift();
  const [first] = looks;
  const seconds = (performance.now() - first.at) / 1000;
  const rate = (done - first.done) / seconds;
  if (!(rate > 0)) return;
  const left = Math.max(Number(place.dataset.rateTo) - done, 0) / rate;
  place.textContent = `${number.format(rate)} a second${left ? `, about ${tellDuration(left)} left` : ""}`;
}

function tellDuration(seconds) {
  if (seconds < 90) return `${number.format(Math.ceil(seconds))} s`;
  if (seconds < 5400) return `${number.format(Math.ceil(seconds / 60))} min`;
  return `${number.format(Math.ceil(seconds / 3600))} h`;
}
