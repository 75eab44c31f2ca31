// Keyboard shortcuts and the sheet that lists them. Single keys can be turned off (WCAG 2.1, 2.1.4).

import { byId, el, fill } from "./dom.js";
import { tabs } from "./state.js";
import { word } from "./words.js";

const SHEET = [
  ["keyTabs", ["1", "…", String(tabs.length)]],
  ["keyDesktop", ["d"]],
  ["keyPhone", ["p"]],
  ["keyImages", ["i"]],
  ["keyDark", ["m"]],
  ["keyStyles", ["g"]],
  ["keyZoom", ["+", "-", "0"]],
  ["keyPeople", ["a", "/"]],
  ["keyIssues", ["[", "]"]],
  ["keyIndex", ["o"]],
  ["keySide", ["s"]],
  ["keyFindings", ["f"]],
  ["keyTheme", ["t"]],
  ["keyLanguage", ["l"]],
  ["keyHelp", ["?"]],
];
const dialog = byId("keys");
const toggle = byId("keys-on");
let actions = {};

export function setUpKeys(bound) {
  actions = bound;
  toggle.checked = localStorage.getItem("keys") !== "off";
  toggle.addEventListener("change", () => localStorage.setItem("keys", toggle.checked ? "on" : "off"));
  document.addEventListener("keydown", onKey);
}

export function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key !== "Escape" && (!toggle.checked || document.querySelector("dialog[open]"))) return;
  if (event.target.closest?.("input:not([type=checkbox]):not([type=radio]), select, textarea")) return;
  const action = actions[event.key];
  if (action && action() !== false) event.preventDefault();
}

export function openHelp() {
  fill(
    byId("key-list"),
    SHEET.map(([what, keys]) => [
      el("dt", {}, keys.map((key) => (key === "…" ? "–" : el("kbd", {}, key)))),
      el("dd", {}, word(what)),
    ]),
  );
  dialog.showModal();
}
