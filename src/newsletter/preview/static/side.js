// The column beside the view: who writes to whom, how large it is, and what was found.

import { byId, coded, el, fill, kilobytes } from "./dom.js";
import { markText } from "./frame.js";
import { place } from "./overlay.js";
import { getJson } from "./state.js";
import { spoken, word } from "./words.js";

const side = byId("side");
let toldFindings = null;
const SEVERITIES = ["error", "warning", "note"];

export function showSide(view, { pick }) {
  for (const part of side.children) part.hidden = !view;
  if (view) fill(byId("about"), envelope(view), reader(view, pick), meter(view));
  showFindings(view);
}

// Drawn only when something is different, so that a finding stays open through a save.
export function showFindings(view) {
  const count = byId("count");
  const grave = view?.findings.filter((finding) => finding.severity !== "note").length ?? 0;
  count.hidden = !grave;
  count.textContent = String(grave);
  const told = view ? JSON.stringify([view.findings, view.elsewhere, spoken()]) : "";
  if (told === toldFindings) return;
  toldFindings = told;
  fill(byId("found"), view ? findings(view) : []);
}

export function focusFindings() {
  byId("findings")?.focus();
}

function card(title, ...content) {
  return el("section", { class: "card" }, title ? el("h2", {}, title) : null, content);
}

function envelope(view) {
  const row = (name, value, extra) => [el("dt", {}, word(name)), el("dd", { lang: extra ?? null }, value)];
  return card(null, el("h2", { class: "headline", lang: view.language }, view.subject),
    el("dl", { class: "facts" },
      row("from", view.from), row("to", view.to),
      row("opening", view.preheader || el("span", { class: "quiet" }, word("noOpening")), view.language)));
}

function reader(view, pick) {
  const who = view.reader;
  const button = el("button", { type: "button", class: "chip", onclick: pick, "aria-keyshortcuts": "a" }, word("change"));
  const tags = [who.language, ...who.tags].filter(Boolean);
  return card(null, el("div", { class: "card-head" }, el("h2", {}, word("reader")), button),
    el("p", { class: "person", id: "reading-as" },
      el("strong", {}, who.sample ? word("sampleReader") : who.name || word("noName")),
      el("span", { class: "quiet" }, who.address)),
    tags.length ? el("ul", { class: "tags" }, tags.map((tag) => el("li", {}, tag))) : null);
}

function meter(view) {
  const { html, clip, near } = view.sizes;
  const level = html > clip ? "over" : html > near ? "near" : "fine";
  const words = { over: word("sizeOver"), near: word("sizeNear"), fine: word("sizeFine") }[level];
  const fillBar = el("span", {});
  fillBar.style.width = `${Math.min(100, (html / clip) * 100)}%`;
  return card(null,
    el("div", { class: "card-head" }, el("h2", { id: "meter-title" }, word("sizeTitle")), el("span", { class: "figure" }, kilobytes(html))),
    el("div", { class: `meter ${level}`, role: "meter", "aria-labelledby": "meter-title", "aria-valuemin": "0", "aria-valuemax": String(clip),
      "aria-valuenow": String(Math.min(html, clip)), "aria-valuetext": `${word("ofClip", (html / 1000).toFixed(1))}, ${words}` }, fillBar),
    el("p", { class: "quiet" }, words));
}

// Errors and warnings lie open; notes are many and wait behind a word.
function findings(view) {
  const groups = SEVERITIES.map((severity) => [severity, view.findings.filter((finding) => finding.severity === severity)]).filter(([, found]) => found.length);
  const title = el("h2", { id: "findings", tabindex: "-1" }, word("findings"));
  return [title,
    groups.length ? groups.map(([severity, found]) => group(severity, found)) : el("p", { class: "quiet" }, word("noFindings")),
    view.elsewhere.length ? el("details", { class: "elsewhere" }, el("summary", {}, word("elsewhere", view.elsewhere.length)),
      el("ul", {}, view.elsewhere.map((url) => el("li", {}, url)))) : null];
}

function group(severity, found) {
  const heading = [el("span", { class: "severity" }, word(`${severity}s`)), el("span", { class: "badge" }, String(found.length))];
  return el("details", { class: `group-of ${severity}`, open: severity !== "note" },
    el("summary", {}, heading), el("ul", { class: "findings" }, found.map(finding)));
}

function finding(one) {
  const more = el("div", { class: "more", hidden: true });
  const button = el("button", { type: "button", class: "finding", "aria-expanded": "false" },
    el("span", { class: "what" }, coded(one.message)),
    one.path ? el("code", { class: "place" }, place(one)) : null);
  button.addEventListener("click", async () => {
    more.hidden = !more.hidden;
    button.setAttribute("aria-expanded", String(!more.hidden));
    if (!more.hidden) await openFinding(one, more);
  });
  return el("li", {}, button, more);
}

async function openFinding(one, more) {
  const source = one.path && one.line ? await getJson("api/source", { path: one.path, line: one.line }) : null;
  fill(more,
    one.hint ? el("p", { class: "hint" }, coded(one.hint)) : null,
    el("code", { class: "place" }, one.code),
    source?.lines.length ? listing(source, one.line) : null);
  const line = source?.lines[one.line - source.first];
  for (const words of phrases(line ?? "")) if (markText(words)) return;
}

function listing(source, marked) {
  const code = el("code", {});
  source.lines.forEach((line, index) => {
    const number = source.first + index;
    code.append(el("span", { class: number === marked ? "line here" : "line" }, el("span", { class: "at" }, String(number)), line || " "));
  });
  return el("pre", { class: "snippet", tabindex: "0" }, code);
}

// What of a source line may stand in the mail: the value after its YAML key, without quotes and Markdown marks.
function phrases(line) {
  const value = line.replace(/^\s*(-\s+)?([\w-]+:\s+)?/, "").replace(/^["']|["']$/g, "");
  return [value, ...value.split(/[*_`\[\]()<>"]+/)].map((words) => words.trim()).filter((words) => words.length > 3).sort((a, b) => b.length - a.length);
}
