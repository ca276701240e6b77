// A form is sent once the service answers its reader: a browser that sends it to nobody loses what was typed.
import { say, showAway, showBack } from "./banner.js";
import { noteSent } from "./focus.js";
import { pause } from "./pause.js";

const RETRY_MS = 2_000;
const SENDING_MS = 10_000;
const checked = new WeakSet();
const waiting = new WeakSet();

export function watchForms() {
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || (submitter?.formMethod || form.method) !== "post") return;
    if (checked.delete(form)) return;
    event.preventDefault();
    sendOnce(form, submitter);
  });
}

async function sendOnce(form, submitter) {
  if (waiting.has(form)) return;
  waiting.add(form);
  const status = await findStatus();
  if (status !== 200) waiting.delete(form);
  if (status === 401) {
    say("You are signed out, and nothing was sent. Sign in in another tab, then send this again: what you typed is still here.");
  } else if (status === 429) {
    say("Too much was asked at once, and nothing was sent. Send it again in a moment.");
  } else if (status >= 500) {
    showAway("memferry does not answer, and nothing was sent. What you typed is still here: send it again once it answers.");
    waitForAnswer();
  } else {
    checked.add(form);
    noteSent(form);
    form.requestSubmit(submitter);
    // A second Enter must not make a second token.
    setTimeout(() => waiting.delete(form), SENDING_MS);
  }
}

async function waitForAnswer() {
  do await pause(RETRY_MS);
  while ((await findStatus()) >= 500);
  showBack();
}

async function findStatus() {
  try {
    return (await fetch(document.body.dataset.answers)).status;
  } catch {
    return 503;
  }
}
