// Files are dropped or chosen, and sent while a bar tells how far that is. Without scripts the form does the same.
import { announce } from "./announce.js";
import { giveFocus, noteSent } from "./focus.js";
import { findFault } from "./parts.js";
import { makeReady } from "./sending.js";

const number = new Intl.NumberFormat(navigator.languages, { style: "percent" });

export function watchUploads() {
  const form = document.querySelector("[data-uploads]");
  if (!form) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!isSending(form)) send(form);
  });
  watchDrops(form, form.querySelector("[data-drop]"));
}

function watchDrops(form, place) {
  for (const name of ["dragenter", "dragover"]) {
    place.addEventListener(name, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    if (!event.dataTransfer.files.length || isSending(form)) return;
    form.elements.file.files = event.dataTransfer.files;
    if (!form.elements.now.checked) form.requestSubmit();
  });
}

async function send(form) {
  const files = [...form.elements.file.files];
  form.elements.name.value = tellNames(files);
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size > Number(form.dataset.mostBytes)) return fail(form, "These files are larger than an import may be.");
  const button = form.querySelector("button.main");
  // Not disabled: a disabled button loses the focus.
  button.ariaDisabled = "true";
  if (!(await makeReady())) return (button.ariaDisabled = null);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.upload.addEventListener("progress", (event) => tell(form, event.loaded / event.total));
  request.addEventListener("load", () => end(form, request));
  request.addEventListener("error", () => fail(form, "The upload broke off, and nothing was stored. Try again."));
  request.send(new FormData(form));
  announce("Sending the files");
  form.querySelector("[data-upload-fault]").hidden = true;
  tell(form, 0);
}

// What the import is called in lists.
function tellNames([first, ...others]) {
  return first.name.slice(0, 250) + (others.length ? ` and ${others.length} more` : "");
}

const isSending = (form) => form.querySelector("button.main").ariaDisabled === "true";

function tell(form, part) {
  const place = form.querySelector("[data-upload-progress]");
  place.hidden = false;
  place.querySelector("progress").value = part;
  place.querySelector("p").textContent = part < 1 ? `Sent ${number.format(part)}` : "Sent; memferry checks the file";
}

function end(form, request) {
  if (request.status < 400) {
    noteSent();
    return location.assign(request.responseURL);
  }
  fail(form, findFault(request.responseText) ?? `The service answered ${request.status}. Nothing was stored.`);
}

function fail(form, text) {
  const place = form.querySelector("[data-upload-fault]");
  place.textContent = text;
  place.hidden = false;
  form.querySelector("[data-upload-progress]").hidden = true;
  form.querySelector("button.main").ariaDisabled = null;
  giveFocus(place);
}
