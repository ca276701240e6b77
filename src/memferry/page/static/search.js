// Search as one types: the form is sent for its part of the screen, and the address follows. Only the last answer counts.
import { fetchPart, replacePart, Refused, SignedOut } from "./parts.js";
import { showAway, showBack } from "./banner.js";
import { pause } from "./pause.js";

const PAUSE_MS = 150;
const RETRY_MS = 3_000;

export function watchSearch() {
  const form = document.querySelector("[data-live-search]");
  if (!form) return;
  let waiting;
  let running;
  const search = async () => {
    running?.abort();
    const own = (running = new AbortController());
    const address = makeAddress(form);
    try {
      const text = await fetchPart(withPart(address, form.dataset.liveSearch), own.signal);
      const part = document.getElementById(form.dataset.liveSearch);
      replacePart(part, text);
      leadToTwin(part);
      history.replaceState(null, "", address);
      showBack();
    } catch (fault) {
      if (fault.name === "AbortError") return;
      if (fault instanceof SignedOut || fault instanceof Refused) return location.assign(address);
      showAway();
      await pause(RETRY_MS);
      if (own === running) search();
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(search, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.formMethod === "post") return;
    event.preventDefault();
    clearTimeout(waiting);
    search();
  });
}

// The link to the same as JSON follows the search; what is being typed may not be whole yet, and has none.
function leadToTwin(part) {
  const link = document.getElementById("twin");
  const address = part.querySelector("[data-twin]")?.dataset.twin;
  link.hidden = !address;
  if (address) link.href = address;
}

function makeAddress(form) {
  const fields = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(fields).toString();
  return query ? `${form.getAttribute("action")}?${query}` : form.getAttribute("action");
}

const withPart = (address, part) => `${address}${address.includes("?") ? "&" : "?"}part=${part}`;

// Fields with data-suggest offer what the service finds for their text.
export function watchSuggestions() {
  for (const field of document.querySelectorAll("[data-suggest]")) {
    let waiting;
    const suggest = async () => {
      const query = new URLSearchParams({ namespace: field.value, part: "options" });
      try {
        replacePart(field.list, await fetchPart(`${field.dataset.suggest}?${query}`));
      } catch {
        // The field works without suggestions.
      }
    };
    field.addEventListener("focus", suggest, { once: true });
    field.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(suggest, PAUSE_MS);
    });
  }
}
