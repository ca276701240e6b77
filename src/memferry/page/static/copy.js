// Buttons with data-copy put the text of an address on the clipboard, byte for byte as the service sends it.
import { announce } from "./announce.js";
import { say } from "./banner.js";

export function watchCopies() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.addEventListener("click", async () => {
      try {
        const answer = await fetch(button.dataset.copy);
        if (!answer.ok) throw new Error(`status ${answer.status}`);
        await navigator.clipboard.writeText(await answer.text());
        button.textContent = "Copied";
        announce("Copied.");
        setTimeout(() => (button.textContent = label), 2_000);
      } catch {
        say("Copying failed. Open the JSON, and copy it from there.");
      }
    });
  }
}

// Buttons with data-copies do so with the text of an element, which may be replaced: the document listens.
export function watchTextCopies() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(source.textContent);
      say("Copied.", { duration: 2_000 });
    } catch {
      // Without TLS a browser has no clipboard for scripts: the text is selected, for the reader to copy.
      getSelection().selectAllChildren(source);
      say("Copy the selected text with your keys.", { duration: 4_000 });
    }
  });
}
