// The controls: what a click, a drag or a key does to the state, and nothing else.

import { byId, el, fill } from "./dom.js";
import * as frame from "./frame.js";
import { openHelp, setUpKeys } from "./keys.js";
import { foldOverlay } from "./overlay.js";
import { sizeText } from "./panes.js";
import { openPicker } from "./people.js";
import { focusFindings } from "./side.js";
import { clamp, darkModes, state, tabs } from "./state.js";
import { word } from "./words.js";

const THEMES = ["auto", "light", "dark"];
let page = null; // set(changes), go(number), switchLanguage(), showModes()

export function setUpControls(actions) {
  page = actions;
  setTheme(localStorage.getItem("theme") ?? "auto");
  bindControls();
  bindKeys();
}

const set = (changes) => page.set(changes);

function setZoom(zoom) {
  set({ zoom: clamp(zoom, 50, 300) });
  if (state.tab === "html") frame.layOut();
}

export function tellLink(href) {
  const box = byId("link");
  box.hidden = false;
  const web = /^(https?|mailto):/i.test(href);
  const open = web ? el("a", { href, target: "_blank", rel: "noopener noreferrer", class: "chip" }, word("openLink")) : null;
  const close = el("button", { type: "button", class: "chip" }, word("close"));
  close.addEventListener("click", () => (box.hidden = true));
  fill(box, el("code", {}, href), open, close);
}

function setTheme(theme) {
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  byId("theme").title = word({ auto: "themeAuto", light: "themeLight", dark: "themeDark" }[theme]);
}

const nextTheme = () => setTheme(THEMES[(THEMES.indexOf(localStorage.getItem("theme") ?? "auto") + 1) % 3]);

function toggleSide() {
  const open = document.body.classList.toggle("side-open");
  const wide = matchMedia("(min-width: 1100px)").matches;
  byId("side-button").setAttribute("aria-expanded", String(wide ? !open : open));
}

function openFindings() {
  const wide = matchMedia("(min-width: 1100px)").matches;
  if (document.body.classList.contains("side-open") === wide) toggleSide();
  focusFindings();
}

function neighbour(id) {
  const anchor = byId(id);
  if (anchor.href) anchor.click();
}

function bindControls() {
  for (const tab of tabs) byId(`tab-${tab}`).addEventListener("click", () => set({ tab }));
  byId("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    set({ tab: tabs[(tabs.indexOf(state.tab) + step + tabs.length) % tabs.length] });
    byId(`tab-${state.tab}`).focus();
  });
  for (const preset of document.getElementsByName("preset")) preset.addEventListener("change", () => frame.setWidth(Number(preset.value)));
  byId("width").addEventListener("change", (event) => frame.setWidth(Number(event.target.value) || state.width));
  byId("images").addEventListener("change", (event) => set({ images: event.target.checked }));
  byId("styles").addEventListener("change", (event) => set({ styles: !event.target.checked }));
  byId("dark").addEventListener("change", (event) => set({ dark: event.target.value }));
  byId("smaller").addEventListener("click", () => setZoom(state.zoom - 25));
  byId("larger").addEventListener("click", () => setZoom(state.zoom + 25));
  byId("modes").addEventListener("submit", (event) => event.preventDefault());
  byId("modes-button").addEventListener("click", (event) => {
    const open = document.body.classList.toggle("modes-open");
    event.currentTarget.setAttribute("aria-expanded", String(open));
  });
  byId("side-button").addEventListener("click", toggleSide);
  byId("issue").addEventListener("change", (event) => event.target.value && page.go(Number(event.target.value)));
  byId("theme").addEventListener("click", nextTheme);
  byId("language").addEventListener("click", page.switchLanguage);
  byId("help").addEventListener("click", openHelp);
  document.addEventListener("widthchange", () => {
    page.showModes();
    sizeText();
  });
}

function bindKeys() {
  const actions = {
    d: () => frame.setWidth(640),
    p: () => frame.setWidth(375),
    i: () => set({ images: !state.images }),
    g: () => set({ styles: !state.styles }),
    m: () => set({ dark: darkModes[(darkModes.indexOf(state.dark) + 1) % darkModes.length] }),
    "+": () => setZoom(state.zoom + 25),
    "=": () => setZoom(state.zoom + 25),
    "-": () => setZoom(state.zoom - 25),
    0: () => setZoom(100),
    a: openPicker,
    "/": openPicker,
    "[": () => neighbour("previous"),
    "]": () => neighbour("next"),
    o: () => byId("home").click(),
    s: toggleSide,
    f: openFindings,
    t: nextTheme,
    l: page.switchLanguage,
    "?": openHelp,
    Escape: () => {
      if (!byId("link").hidden) return void (byId("link").hidden = true);
      return foldOverlay();
    },
  };
  tabs.forEach((tab, index) => (actions[String(index + 1)] = () => set({ tab })));
  setUpKeys(actions);
}
