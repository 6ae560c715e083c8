"use strict";
const field = document.getElementById("filter");
const found = document.getElementById("found");
const articles = [...document.querySelectorAll("article")];
const entries = new Map([...document.querySelectorAll("nav li")].map((entry) => [entry.dataset.for, entry]));
const groups = [...document.querySelectorAll("nav section, main > section")];

document.getElementById("sim").textContent = location.origin;

function show() {
  const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const article of articles) {
    const fits = wanted.every((word) => article.dataset.words.includes(word));
    article.hidden = entries.get(article.id).hidden = !fits;
    count += fits;
  }
  for (const group of groups) group.hidden = !group.querySelector("article:not([hidden]), li:not([hidden])");
  found.textContent = wanted.length ? `${count} of ${articles.length} operations` : "";
}

field.addEventListener("input", show);
addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  } else if (event.key === "Escape" && document.activeElement === field) {
    field.value = "";
    show();
  }
});
show();
