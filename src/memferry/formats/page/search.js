
"use strict";

// Without accents and case: "Ä" is found by "a".
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

const gather = () => {
  const sections = Array.from(document.querySelectorAll("section"));
  const headings = new Map(sections.map((section) => [section, fold(section.firstChild.textContent)]));
  const articles = Array.from(document.querySelectorAll("article"), (article) => {
    const parts = [fold(article.textContent)];
    for (let place = article.parentElement; headings.has(place); place = place.parentElement) {
      parts.push(headings.get(place));
    }
    return { article, text: parts.join("\n") };
  });
  return { sections, articles };
};

addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form");
  const field = form.querySelector("input");
  const output = form.querySelector("output");
  const count = document.querySelectorAll("article").length.toLocaleString("en");
  const total = count === "1" ? "1 memory" : `${count} memories`;
  let page;
  let timer;

  const search = () => {
    page ??= gather();
    const words = fold(field.value).split(/\s+/u).filter(Boolean);
    let shown = 0;
    for (const { article, text } of page.articles) {
      const hit = words.every((word) => text.includes(word));
      article.hidden = !hit;
      shown += hit ? 1 : 0;
    }
    for (const section of page.sections) {
      section.hidden = !section.querySelector("article:not([hidden])");
    }
    output.value = words.length ? `${shown.toLocaleString("en")} of ${count}` : total;
  };

  // An address that ends with #q=words opens with that search.
  const follow = () => {
    const words = new URLSearchParams(location.hash.slice(1)).get("q");
    if (words !== null) {
      field.value = words;
      search();
    }
  };

  output.value = total;
  form.hidden = false;
  form.addEventListener("submit", (event) => { event.preventDefault(); search(); });
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 150); });
  addEventListener("hashchange", follow);
  follow();
});
