// The theme changes in place: what was typed into a form stays.
import { makeReady } from "./sending.js";

export function watchTheme() {
  const form = document.getElementById("theme");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!(await makeReady())) return;
    const body = new URLSearchParams(new FormData(form, event.submitter));
    await fetch(form.action, { method: "POST", body, redirect: "manual" });
    document.documentElement.dataset.theme = event.submitter.value;
    [...form.querySelectorAll("button")].find((button) => button.checkVisibility()).focus();
  });
}
