// Selected rows: how many they are, and all of them at once. Lists are replaced as one types, so the document listens.
import { announce } from "./announce.js";

export function watchSelection() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-selection]");
    if (!form) return;
    if (event.target.matches("[data-select-all]")) selectAll(form, event.target.checked);
    tellCount(form);
    announce(form.querySelector("[data-selected-count]").textContent || "None selected");
  });
  // A browser that comes back to a screen remembers its boxes.
  addEventListener("pageshow", () => document.querySelectorAll("[data-selection]").forEach(tellCount));
}

const findBoxes = (form) => [...form.querySelectorAll("input[name=id]")];

function selectAll(form, checked) {
  for (const box of findBoxes(form)) box.checked = checked;
}

function tellCount(form) {
  const boxes = findBoxes(form);
  const count = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-select-all]");
  all.checked = count === boxes.length;
  all.indeterminate = count > 0 && count < boxes.length;
  form.querySelector("[data-selected-count]").textContent = count ? `${count} selected` : "";
}
