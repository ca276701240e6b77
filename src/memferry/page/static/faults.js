// A fault names its field by a link: that field is marked as wrong, and described by the fault.
export function markWrongFields() {
  for (const field of document.querySelectorAll("[data-wrong]")) unmark(field);
  for (const link of document.querySelectorAll(".fault a[href^='#']")) mark(link);
}

function mark(link) {
  const field = document.getElementById(link.hash.slice(1));
  if (!field) return;
  const fault = link.closest(".fault");
  fault.id ||= `fault-of-${field.id}`;
  field.dataset.wrong = field.getAttribute("aria-describedby") ?? "";
  field.setAttribute("aria-describedby", `${fault.id} ${field.dataset.wrong}`.trim());
  field.setAttribute("aria-invalid", "true");
}

function unmark(field) {
  const description = field.dataset.wrong;
  if (description) field.setAttribute("aria-describedby", description);
  else field.removeAttribute("aria-describedby");
  field.removeAttribute("aria-invalid");
  delete field.dataset.wrong;
}
