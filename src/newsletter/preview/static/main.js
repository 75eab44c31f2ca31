// The preview page: loads what the server rendered, shows it in the chosen way, and reloads when something was saved.

import { setUpControls, tellLink } from "./controls.js";
import { byId } from "./dom.js";
import * as frame from "./frame.js";
import { showIndex, showIssueList } from "./issues.js";
import { onKey } from "./keys.js";
import { showProblems } from "./overlay.js";
import { showPane } from "./panes.js";
import { openPicker, setUpPicker } from "./people.js";
import { showFindings, showSide } from "./side.js";
import { address, api, getJson, keepAddress, readAddress, state, tabs } from "./state.js";
import { setUpTrial } from "./trial.js";
import { speak, spoken, word } from "./words.js";

let publication = null;
let view = null;
let problems = [];
let loading = false;
let stale = false;
let version = -1;
let events = null;
let inspection = 0;
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
  clearTimeout(inspection);
  if (view?.inspected === false) inspection = setTimeout(lookOver, 300, view);
}

// The checks take their time, so they are asked for when the mail is on the screen and nothing was saved for a moment.
async function lookOver(shown) {
  shown.inspected = true;
  const answer = await getJson(`api/findings/${shown.id}`).catch(() => null);
  if (!answer) return;
  shown.findings = answer.findings;
  if (view === shown) showFindings(view);
}

function takeIssue(answer) {
  version = Math.max(version, answer.version);
  talk(answer.language);
  problems = answer.problems;
  if (answer.view && !problems.length) live("updated");
  if (answer.view && view?.id === answer.view.id && view.inspected) {
    answer.view.findings = view.findings; // until the new ones are there, so that the list does not flicker
  }
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

// A hidden page listens to nothing: browsers allow six connections to a server, over all windows.
function listen() {
  events?.close();
  events = null;
  if (document.hidden) return;
  const source = new EventSource(api("events"));
  events = source;
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

function switchLanguage() {
  chosenLanguage = spoken() === "zh" ? "en" : "zh";
  localStorage.setItem("language", chosenLanguage);
  talk();
  for (const pane of document.querySelectorAll("[data-shows]")) delete pane.dataset.shows;
  live("live");
  show();
  frame.layOut();
}

function start() {
  readAddress();
  speak(chosenLanguage ?? navigator.language);
  setUpControls({ set, go, switchLanguage, showModes });
  document.addEventListener("click", follow);
  window.addEventListener("popstate", arrive);
  frame.setUp({ key: onKey, link: tellLink });
  setUpTrial();
  setUpPicker((key) => {
    set({ as: key });
    load();
  });
  load().then(listen);
  document.addEventListener("visibilitychange", listen);
}

start();
