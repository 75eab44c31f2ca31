// The mail in its frame. A new version is loaded behind the old one and takes its place when it is ready, so that a
// save neither flashes nor jumps. The frame is as tall as the mail; what scrolls is the pane around it.

import { byId, el, fill } from "./dom.js";
import { api, clamp, keepAddress, state } from "./state.js";
import { word } from "./words.js";

const pane = byId("pane-html");
const screen = byId("screen");
const handle = byId("handle");

let shown = null; // the frame that is seen
let coming = null; // the frame that is loading
let onKey = () => {};
let onLink = () => {};

export function setUp({ key, link }) {
  onKey = key;
  onLink = link;
  new ResizeObserver(() => layOut()).observe(pane);
  handle.addEventListener("pointerdown", drag);
  handle.addEventListener("keydown", nudge);
}

export function showMail(view) {
  const url = api(`mail/${view.id}`, {
    images: state.images ? "on" : "off",
    styles: state.styles ? "on" : "off",
    dark: state.dark,
  }).href;
  if (coming?.src === url || (!coming && shown?.src === url)) return layOut();
  coming?.remove();
  byId("device").hidden = false;
  const frame = el("iframe", { sandbox: "allow-same-origin", referrerpolicy: "no-referrer" });
  frame.className = "mail waiting";
  frame.title = `${word("mail")}: ${view.subject}`;
  frame.addEventListener("load", () => swap(frame), { once: true });
  coming = frame;
  frame.src = url;
  screen.append(frame);
  size(frame);
}

export function clearMail() {
  coming?.remove();
  shown?.remove();
  coming = shown = null;
  byId("device").hidden = true;
  fill(byId("caption"));
}

export function frameDocument() {
  return shown?.contentDocument ?? null;
}

function swap(frame) {
  if (frame !== coming) return;
  const mail = frame.contentDocument;
  mail.addEventListener("click", (event) => {
    const anchor = event.target.closest?.("a[href], area[href]");
    if (!anchor) return;
    event.preventDefault();
    onLink(anchor.getAttribute("href"));
  });
  mail.addEventListener("keydown", onKey);
  const top = pane.scrollTop;
  shown?.remove();
  shown = frame;
  coming = null;
  frame.classList.remove("waiting");
  layOut();
  pane.scrollTop = top;
  new ResizeObserver(() => layOut()).observe(mail.documentElement);
  frame.dispatchEvent(new CustomEvent("mailshown", { bubbles: true }));
}

function scale() {
  const zoom = state.zoom / 100;
  const style = getComputedStyle(pane);
  const room = pane.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  return { zoom, fit: room > 0 ? Math.min(1, room / state.width) : 1 };
}

function size(frame) {
  frame.style.width = `${state.width / scale().zoom}px`;
}

// Puts width, zoom and height onto the frame. Where the width changed, the same part of the mail stays in sight.
export function layOut() {
  if (pane.hidden || !shown) return;
  const { zoom, fit } = scale();
  const place = pane.scrollHeight ? pane.scrollTop / pane.scrollHeight : 0;
  const before = shown.style.width;
  size(shown);
  if (coming) size(coming);
  shown.style.height = "1px";
  const tall = shown.contentDocument?.documentElement.scrollHeight ?? 0;
  shown.style.height = `${tall}px`;
  shown.style.transform = zoom * fit === 1 ? "" : `scale(${zoom * fit})`;
  screen.style.width = `${state.width * fit}px`;
  screen.style.height = `${Math.ceil(tall * zoom * fit)}px`;
  if (before && before !== shown.style.width) pane.scrollTop = place * pane.scrollHeight;
  handle.setAttribute("aria-valuenow", String(state.width));
  tellWidth(fit);
}

// The width that is imitated, and a word of warning where the mail does not fit into it.
function tellWidth(fit) {
  const root = shown.contentDocument?.documentElement;
  const over = root ? root.scrollWidth - root.clientWidth : 0;
  const text = fit < 1 ? word("scaled", state.width, Math.round(fit * 100)) : word("plainWidth", state.width);
  fill(byId("caption"), text, over > 1 ? el("span", { class: "warn" }, `　${word("tooWide", over)}`) : null);
}

export function setWidth(width) {
  state.width = clamp(width, 280, 1200);
  keepAddress();
  layOut();
  document.dispatchEvent(new CustomEvent("widthchange"));
}

function drag(event) {
  event.preventDefault();
  handle.setPointerCapture(event.pointerId);
  document.body.classList.add("dragging");
  const from = event.clientX;
  const width = state.width;
  const { fit } = scale();
  // The mail is centred, so its right edge moves by half of what is added.
  const move = (at) => setWidth(width + ((at.clientX - from) * 2) / fit);
  const end = () => {
    document.body.classList.remove("dragging");
    handle.removeEventListener("pointermove", move);
  };
  handle.addEventListener("pointermove", move);
  handle.addEventListener("pointerup", end, { once: true });
  handle.addEventListener("pointercancel", end, { once: true });
}

function nudge(event) {
  const step = event.shiftKey ? 50 : 5;
  const to = {
    ArrowLeft: state.width - step,
    ArrowRight: state.width + step,
    Home: 280,
    End: 1200,
  }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  setWidth(to);
}

// Marks the element that shows `text`, the nearest thing to a source line's place in the mail.
export function markText(text) {
  const mail = frameDocument();
  if (!mail?.body) return false;
  for (const old of mail.querySelectorAll("[data-marked]")) {
    old.style.outline = "";
    old.removeAttribute("data-marked");
  }
  const found = text && findText(mail, text);
  if (!found) return false;
  found.setAttribute("data-marked", "");
  found.style.outline = "3px solid #d9480f";
  found.style.outlineOffset = "3px";
  const { zoom, fit } = scale();
  const top = found.getBoundingClientRect().top * zoom * fit;
  pane.scrollTo({ top: Math.max(0, top - pane.clientHeight / 3), behavior: "smooth" });
  return true;
}

function findText(mail, text) {
  const walker = mail.createTreeWalker(mail.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (walker.currentNode.data.includes(text)) return walker.currentNode.parentElement;
  }
  return null;
}
