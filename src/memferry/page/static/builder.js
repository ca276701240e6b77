// The form of an export: options that do not go with the chosen format cannot be chosen.
export function watchBuilder() {
  const form = document.getElementById("builder");
  if (!form) return;
  fitOptions(form);
  form.addEventListener("change", () => fitOptions(form));
}

function fitOptions(form) {
  const format = form.elements.format.value;
  for (const group of form.querySelectorAll("[data-formats]")) {
    const fits = group.dataset.formats.split(" ").includes(format);
    group.hidden = !fits;
    for (const field of group.querySelectorAll("input")) field.disabled = !fits;
  }
}
