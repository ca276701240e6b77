// Times and numbers in the language of the browser; the server writes them in UTC and with commas.
const languages = navigator.languages;
const short = new Intl.DateTimeFormat(languages, { dateStyle: "medium", timeStyle: "short" });
const long = new Intl.DateTimeFormat(languages, { dateStyle: "full", timeStyle: "long" });
const day = new Intl.DateTimeFormat(languages, { dateStyle: "medium" });
const number = new Intl.NumberFormat(languages);
const tenths = new Intl.NumberFormat(languages, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
const percent = new Intl.NumberFormat(languages, { maximumFractionDigits: 1, style: "percent" });
const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

// Buttons that need scripts are hidden until one runs, and those that nobody needs with scripts from then on.
export function localise(root) {
  for (const element of root.querySelectorAll(".scripted")) element.hidden = false;
  for (const element of root.querySelectorAll(".unscripted")) element.hidden = true;
  for (const element of root.querySelectorAll("time[datetime]")) {
    const time = new Date(element.dateTime);
    element.textContent = (element.classList.contains("day") ? day : short).format(time);
    element.title = `${long.format(time)} (${element.dateTime})`;
  }
  for (const element of root.querySelectorAll("data[value]")) {
    if (element.classList.contains("size")) showSize(element);
    else if (element.classList.contains("percent")) element.textContent = percent.format(element.value / 100);
    else element.textContent = number.format(BigInt(element.value));
  }
}

function showSize(element) {
  let [size, unit] = [Number(element.value), 0];
  for (; size >= 1024 && unit < UNITS.length - 1; unit += 1) size /= 1024;
  element.title = `${number.format(element.value)} bytes`;
  element.textContent = `${(unit ? tenths : number).format(size)} ${UNITS[unit]}`;
}
