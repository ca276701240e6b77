// Parts of screens that the service has rendered, put in place of older ones. Focus stays where it is.
import { announce, readNews } from "./announce.js";
import { markWrongFields } from "./faults.js";
import { giveFocus } from "./focus.js";
import { localise } from "./localise.js";

const policy = window.trustedTypes?.createPolicy("memferry", { createHTML: (text) => text });

export class SignedOut extends Error {}
export class Refused extends Error {}

export async function fetchPart(address, signal) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, signal });
  if (answer.status === 401) throw new SignedOut();
  const text = await answer.text();
  if (answer.status >= 500 || answer.status === 429) throw new Error(`status ${answer.status}`);
  if (!answer.ok) throw new Refused(findFault(text) ?? `status ${answer.status}`);
  return text;
}

export function replacePart(element, text) {
  if (last.get(element) === text) return false;
  last.set(element, text);
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const news = readNews(element);
  const fresh = parse(text);
  localise(fresh);
  element.replaceChildren(...fresh.body.childNodes);
  markWrongFields();
  if (focused) giveFocusBack(element, focused.id);
  if (readNews(element) !== news) announce(readNews(element));
  return true;
}

const last = new WeakMap();

function parse(text) {
  return new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
}

export function findFault(text) {
  return parse(text).querySelector(".fault")?.textContent;
}

function giveFocusBack(element, id) {
  const again = id ? document.getElementById(id) : null;
  again?.focus({ preventScroll: true });
  // It is gone, or takes no focus any more.
  if (!again || document.activeElement !== again) giveFocus(element);
}
