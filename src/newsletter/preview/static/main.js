// The preview page: loads what the server rendered, shows it in the chosen way, and reloads when something was saved.

import { byId, el, fill } from "./dom.js";
import * as frame from "./frame.js";
import { showIndex, showIssueList } from "./issues.js";
import { onKey, openHelp, setUpKeys } from "./keys.js";
import { foldOverlay, showProblems } from "./overlay.js";
import { showPane, sizeText } from "./panes.js";
import { openPicker, setUpPicker } from "./people.js";
import { focusFindings, showSide } from "./side.js";
import { address, api, clamp, darkModes, getJson, keepAddress, readAddress, state, tabs } from "./state.js";
import { speak, spoken, word } from "./words.js";

const THEMES = ["auto", "light", "dark"];
let publication = null;
let view = null;
let problems = [];
let loading = false;
let stale = false;
let version = -1;
let chosenLanguage = localStorage.getItem("language");

async function load() {
  stale = true;
  if (loading) return;
  loading = true;
  try {
    while (stale) {
      stale = false;
      await loadOnce();
    }
  } finally {
    loading = false;
  }
}

async function loadOnce() {
  const { number, as } = state;
  const list = getJson("api/publication"); // reads the whole archive, so the mail does not wait for it
  list.catch(() => {});
  try {
    if (number !== null) {
      const answer = await getJson(`api/issues/${number}`, { as });
      if (number !== state.number || as !== state.as) return void (stale = true);
      takeIssue(answer);
      show();
    }
    takePublication(await list);
  } catch (error) {
    if (error instanceof TypeError) return live("offline"); // nobody answers: the event stream tells when somebody does
    problems = [{ message: `${word("problemInside")}: ${error.message}` }];
  }
  if (number === state.number) show();
}

function takeIssue(answer) {
  version = Math.max(version, answer.version);
  talk(answer.language);
  problems = answer.problems;
  if (answer.view && !problems.length) live("updated");
  if (answer.view || view?.number !== state.number) view = answer.view;
}

function takePublication(answer) {
  publication = answer;
  version = Math.max(version, answer.version);
  talk(answer.language);
  if (state.number === null) problems = answer.problems;
}

// The interface's language: the reader's choice, else that of the publication.
function talk(language) {
  speak(chosenLanguage ?? language);
  byId("language").textContent = spoken() === "zh" ? "EN" : "中";
}

function show() {
  document.body.dataset.page = state.number === null ? "index" : "issue";
  byId("index").hidden = state.number !== null;
  if (publication) showIssueList(publication);
  if (state.number === null) showAll();
  else showIssue();
  showProblems(problems, { hasView: Boolean(view) });
}

function showAll() {
  entitle(publication?.name ?? "");
  for (const tab of tabs) byId(`pane-${tab}`).hidden = true;
  frame.clearMail();
  if (publication) showIndex(publication);
  showSide(null, {});
}

function entitle(text) {
  document.title = text;
  byId("title").textContent = text;
}

function showIssue() {
  entitle(view ? `No.${view.number} ${view.title}` : `No.${state.number}`);
  for (const tab of tabs) {
    const chosen = tab === state.tab;
    const button = byId(`tab-${tab}`);
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    byId(`pane-${tab}`).hidden = !chosen;
  }
  showModes();
  showSide(view, { pick: openPicker });
  if (!view) return frame.clearMail();
  if (state.tab === "html") frame.showMail(view);
  else showPane(state.tab, view);
}

function showModes() {
  for (const group of document.querySelectorAll("[data-for]")) {
    group.hidden = !group.dataset.for.split(" ").includes(state.tab);
  }
  byId("modes-button").hidden = !["html", "text"].includes(state.tab);
  for (const preset of document.getElementsByName("preset")) preset.checked = Number(preset.value) === state.width;
  byId("width").value = String(state.width);
  byId("images").checked = state.images;
  byId("styles").checked = !state.styles;
  byId("dark").value = state.dark;
  byId("zoom").textContent = `${state.zoom}%`;
  document.body.dataset.dark = state.dark;
}

function set(changes) {
  Object.assign(state, changes);
  keepAddress();
  if (state.number !== null) showIssue();
}

function setZoom(zoom) {
  set({ zoom: clamp(zoom, 50, 300) });
  if (state.tab === "html") frame.layOut();
}

function go(number) {
  if (number === undefined || number === state.number) return;
  history.pushState(null, "", address(number));
  arrive();
}

function arrive() {
  const before = state.number;
  readAddress();
  byId("link").hidden = true;
  if (state.number !== before) {
    view = null;
    problems = [];
    byId("pane-html").scrollTop = 0;
  }
  load();
}

function live(kind) {
  const text = kind === "updated" ? word("updated", new Date().toLocaleTimeString([], { hour12: false })) : word(kind);
  byId("live").dataset.state = kind === "offline" ? "offline" : "live";
  byId("live").textContent = text;
}

function listen() {
  const source = new EventSource(api("events"));
  source.addEventListener("hello", (event) => {
    const now = JSON.parse(event.data).version;
    live("live");
    if (now !== version) load();
  });
  source.addEventListener("change", () => load());
  source.addEventListener("error", () => live("offline"));
}

function follow(event) {
  const anchor = event.target.closest("a[href]");
  if (!anchor || event.button || event.ctrlKey || event.metaKey || event.shiftKey || anchor.target) return;
  const url = new URL(anchor.href);
  if (url.origin !== location.origin || url.hash) return;
  event.preventDefault();
  history.pushState(null, "", url);
  arrive();
}

function tellLink(href) {
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

function switchLanguage() {
  chosenLanguage = spoken() === "zh" ? "en" : "zh";
  localStorage.setItem("language", chosenLanguage);
  talk();
  for (const pane of document.querySelectorAll("[data-shows]")) delete pane.dataset.shows;
  live("live");
  show();
  frame.layOut();
}

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
  for (const preset of document.getElementsByName("preset")) preset.addEventListener("change", () => width(Number(preset.value)));
  byId("width").addEventListener("change", (event) => width(Number(event.target.value) || state.width));
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
  byId("issue").addEventListener("change", (event) => event.target.value && go(Number(event.target.value)));
  byId("theme").addEventListener("click", nextTheme);
  byId("language").addEventListener("click", switchLanguage);
  byId("help").addEventListener("click", openHelp);
  document.addEventListener("click", follow);
  document.addEventListener("widthchange", () => {
    showModes();
    sizeText();
  });
  window.addEventListener("popstate", arrive);
}

function width(value) {
  frame.setWidth(value);
}

function bindKeys() {
  const actions = {
    d: () => width(640),
    p: () => width(375),
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
    l: switchLanguage,
    "?": openHelp,
    Escape: () => {
      if (!byId("link").hidden) return void (byId("link").hidden = true);
      return foldOverlay();
    },
  };
  tabs.forEach((tab, index) => (actions[String(index + 1)] = () => set({ tab })));
  setUpKeys(actions);
}

function start() {
  readAddress();
  speak(chosenLanguage ?? navigator.language);
  setTheme(localStorage.getItem("theme") ?? "auto");
  bindControls();
  bindKeys();
  frame.setUp({ key: onKey, link: tellLink });
  setUpPicker((key) => {
    set({ as: key });
    load();
  });
  load().then(listen);
}

start();
