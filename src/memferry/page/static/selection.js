// Selected rows: how many they are, and all of them at once. Lists are replaced as one types, so the document listens.
export function watchSelection() {
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-selection]");
    if (form) tellCount(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-select-all]");
    if (!button) return;
    const form = button.closest("form");
    const boxes = [...form.querySelectorAll("input[name=id]")];
    const checked = !boxes.every((box) => box.checked);
    for (const box of boxes) box.checked = checked;
    tellCount(form);
  });
}

function tellCount(form) {
  const count = form.querySelectorAll("input[name=id]:checked").length;
  form.querySelector("[data-selected-count]").textContent = count ? `${count} selected` : "";
}
