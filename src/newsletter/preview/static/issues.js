// All issues: the index page, the list in the bar, and the ways to the neighbours.

import { byId, el, fill } from "./dom.js";
import { address, state } from "./state.js";
import { word } from "./words.js";

const day = (text) => (text ? text.slice(0, 10) : word("noDate"));

export function showIssueList(publication) {
  const select = byId("issue");
  const options = publication.issues.map((issue) =>
    el("option", { value: String(issue.number), selected: issue.number === state.number }, `No.${issue.number}　${issue.title ?? word("broken")}`));
  const numbers = publication.issues.map((issue) => issue.number).sort((a, b) => a - b);
  const other = state.number === null ? word("allIssues") : `No.${state.number}`;
  fill(select, numbers.includes(state.number) ? null : el("option", { value: "", selected: true }, other), options);
  const at = numbers.indexOf(state.number);
  point(byId("previous"), state.number === null ? undefined : numbers[at - 1]);
  point(byId("next"), at < 0 ? undefined : numbers[at + 1]);
  byId("home").href = address(null).href;
  byId("publication").textContent = publication.name;
}

function point(anchor, number) {
  if (number === undefined) {
    anchor.removeAttribute("href");
    anchor.setAttribute("aria-disabled", "true");
  } else {
    anchor.href = address(number).href;
    anchor.removeAttribute("aria-disabled");
  }
}

export function showIndex(publication) {
  const rows = publication.issues.map((issue) =>
    el("li", {}, el("a", { class: "issue", href: address(issue.number).href, "data-number": String(issue.number) },
      el("span", { class: "number" }, `No.${issue.number}`),
      el("span", { class: "title", lang: publication.language }, issue.title ?? issue.path),
      issue.problem ? el("span", { class: "state broken" }, word("broken")) : el("span", { class: `state ${issue.status}` }, word(issue.status)),
      el("time", { datetime: issue.date ?? null }, day(issue.date)),
      el("code", { class: "quiet" }, issue.path))));
  fill(byId("index"), el("h2", {}, publication.name),
    publication.description ? el("p", { class: "lead" }, publication.description) : null,
    rows.length ? el("ol", { class: "issues" }, rows) : el("p", {}, word("noIssues")));
}
