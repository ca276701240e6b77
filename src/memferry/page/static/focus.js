// Where the focus goes: after a form to what came of it, and out of a field without being lost.
const SENT = "memferry-sent";

// A form is sent: the next screen gives the focus to its outcome, without a line around it if a mouse has sent it.
export function noteSent() {
  const byKeys = document.activeElement.matches(":focus-visible");
  try {
    sessionStorage.setItem(SENT, JSON.stringify({ byKeys }));
  } catch {
    // A browser that keeps nothing sends the form all the same.
  }
}

export function focusOutcome() {
  const sent = takeSent();
  if (location.hash || document.querySelector("main [autofocus]")) return;
  const message = document.querySelector("main :is(.fault[role=alert], .done):not([hidden])");
  const outcome = message ?? (sent && document.querySelector("h1"));
  if (!outcome) return;
  outcome.classList.toggle("quiet-focus", !sent?.byKeys);
  giveFocus(outcome);
}

function takeSent() {
  try {
    const sent = sessionStorage.getItem(SENT);
    sessionStorage.removeItem(SENT);
    return JSON.parse(sent);
  } catch {
    // A browser that keeps nothing does not know.
    return null;
  }
}

// Puts the focus on an element that takes none by itself; Tab goes on from there.
export function giveFocus(element) {
  if (!element.matches("a[href], button, input, select, summary, textarea, [tabindex]")) element.tabIndex = -1;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
}

// Out of a search to what it has found, out of any other field to its label.
export function leaveField(field) {
  const form = field.closest("form");
  const found = form?.matches("[role=search]") ? document.querySelector("[data-row] a") : field.labels?.[0];
  giveFocus(found ?? form ?? document.getElementById("main"));
}
