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
  if (!(await makeReady())) return waiting.delete(form);
  checked.add(form);
  noteSent();
  form.requestSubmit(submitter);
  // A second Enter must not make a second token.
  setTimeout(() => waiting.delete(form), SENDING_MS);
}

// Whether a form can be sent; if not, the reader is told why. Its token is that of the sign-in, which may be a new one.
export async function makeReady() {
  const { status, tenant, form_token: token } = await askService();
  const own = document.body.dataset.tenant;
  if (status === 429) {
    say("Too much was asked at once, and nothing was sent. Send it again in a moment.");
  } else if (status !== 200) {
    showAway("memferry does not answer, and nothing was sent. What you typed is still here: send it again once it answers.");
    waitForAnswer();
  } else if (own && !tenant) {
    say("You are signed out, and nothing was sent. What you typed is still here: sign in, then send it again.", { leads: true });
  } else if (own && own !== tenant) {
    say("You are signed in to the memories of another tenant, and nothing was sent. What you typed is still here.");
  } else {
    for (const field of document.querySelectorAll("[name=form_token]")) field.value = token;
    return true;
  }
  return false;
}

async function waitForAnswer() {
  do await pause(RETRY_MS);
  while ((await askService()).status !== 200);
  showBack();
}

async function askService() {
  try {
    const answer = await fetch("/form-token");
    return { ...(answer.ok && (await answer.json())), status: answer.status };
  } catch {
    return { status: 503 };
  }
}
