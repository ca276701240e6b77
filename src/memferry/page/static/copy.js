// Buttons with data-copy put the text of an address on the clipboard, byte for byte as the service sends it.
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
        setTimeout(() => (button.textContent = label), 2_000);
      } catch {
        say("Copying failed. Open the JSON, and copy it from there.");
      }
    });
  }
}
