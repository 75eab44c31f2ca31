// Mistakes, laid over the last good view: file, line, message, the line itself. It goes away when they are mended.

import { byId, coded, el, fill } from "./dom.js";
import { word } from "./words.js";

const box = byId("overlay");
let folded = false;
let current = "";

export function showProblems(problems, { hasView }) {
  const told = JSON.stringify(problems);
  if (told !== current) folded = false; // a new mistake is never hidden by the last one's fold
  current = told;
  box.hidden = problems.length === 0;
  if (!problems.length) return fill(box);
  const count = problems.length === 1 ? word("oneMistake") : word("mistakes", problems.length);
  const button = el("button", { type: "button", class: "chip", id: "fold", "aria-expanded": String(!folded) });
  button.textContent = word(folded ? "show" : "hide");
  button.addEventListener("click", () => {
    folded = !folded;
    showProblems(problems, { hasView });
    byId("fold").focus();
  });
  fill(
    box,
    el("div", { class: "overlay-head" }, el("h2", {}, count), button),
    folded ? null : el("ol", { class: "problems" }, problems.map(problem)),
    folded ? null : el("p", { class: "quiet" }, word(hasView ? "lastGood" : "nothingYet")),
  );
}

export function foldOverlay() {
  if (box.hidden || folded) return false;
  byId("fold").click();
  return true;
}

function problem(one) {
  return el(
    "li",
    {},
    one.path ? el("code", { class: "place" }, place(one)) : null,
    el("p", { class: "what" }, coded(one.message)),
    one.hint ? el("p", { class: "hint" }, coded(one.hint)) : null,
    one.snippet ? el("pre", { class: "snippet", tabindex: "0" }, one.snippet) : null,
  );
}

export function place(one) {
  return [one.path, one.line, one.line ? one.column : null].filter((part) => part !== null && part !== undefined).join(":");
}
