// Choosing whose message to look at: a dialog with a search field and a list (ARIA combobox pattern).

import { byId, el, fill } from "./dom.js";
import { getJson, state } from "./state.js";
import { word } from "./words.js";

const dialog = byId("picker");
const search = byId("search");
const list = byId("people");
let choose = () => {};
let active = -1;
let asked = 0;

export function setUpPicker(onChoose) {
  choose = onChoose;
  search.addEventListener("input", ask);
  search.addEventListener("keydown", move);
}

export function openPicker() {
  search.placeholder = word("searchPeople");
  search.value = "";
  if (!dialog.open) dialog.showModal();
  search.focus();
  ask();
}

async function ask() {
  const turn = ++asked;
  const answer = await getJson("api/people", { issue: state.number, q: search.value });
  if (turn !== asked) return;
  active = -1;
  search.removeAttribute("aria-activedescendant");
  fill(list, answer.people.map(option));
  byId("people-note").textContent =
    answer.people.length < answer.total ? word("foundSome", answer.total, answer.people.length) : word("found", answer.total);
  const current = [...list.children].findIndex((item) => item.getAttribute("aria-selected") === "true");
  activate(search.value ? 0 : Math.max(0, current));
}

function option(person, index) {
  const roles = person.roles.map(role);
  const status = person.status === "active" ? [] : [word(person.status)];
  const node = el("li", { role: "option", id: `person-${index}`, "aria-selected": String(person.key === state.as) },
    el("strong", {}, person.name || word("noName")), el("span", { class: "quiet" }, person.address),
    el("span", { class: "tags" }, [...roles, ...status].map((text) => el("span", { class: "role" }, text)),
      [person.language, ...person.tags].filter(Boolean).map((text) => el("span", { class: "tag" }, text))));
  node.dataset.key = person.key;
  node.addEventListener("click", () => take(node));
  return node;
}

function role(one) {
  if (one.code !== "variant") return word(one.code);
  return one.hidden ? word("variant", one.variant, one.hidden) : word("fullVariant", one.variant);
}

function activate(index) {
  const items = list.children;
  items[active]?.classList.remove("active");
  active = items.length ? (index + items.length) % items.length : -1;
  const item = items[active];
  if (!item) return;
  item.classList.add("active");
  search.setAttribute("aria-activedescendant", item.id);
  item.scrollIntoView({ block: "nearest" });
}

function move(event) {
  if (event.key === "ArrowDown") activate(active + 1);
  else if (event.key === "ArrowUp") activate(active - 1);
  else if (event.key === "Enter" && list.children[active]) take(list.children[active]);
  else return;
  event.preventDefault();
}

function take(node) {
  dialog.close();
  choose(node.dataset.key);
}
