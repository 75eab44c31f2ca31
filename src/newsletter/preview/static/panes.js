// The views beside the HTML: text, inbox, source, headers, raw message, size.

import { byId, el, fill, kilobytes } from "./dom.js";
import { getText, state } from "./state.js";
import { word } from "./words.js";

let rawHeaders = false;
const fetched = new Map();

export async function showPane(tab, view) {
  const pane = byId(`pane-${tab}`);
  if (tab === "text") showText(view);
  else if (tab === "inbox") fill(pane, inbox(view));
  else if (tab === "headers") fill(pane, headers(view));
  else if (tab === "size") fill(pane, size(view));
  else if (tab === "source" || tab === "raw") await showLines(pane, tab, view);
}

function showText(view) {
  const text = byId("text");
  text.textContent = view.text;
  text.lang = view.language;
  sizeText();
}

export function sizeText() {
  const text = byId("text");
  text.style.maxWidth = `${state.width}px`;
  text.style.fontSize = `${(15 * state.zoom) / 100}px`;
}

function inbox(view) {
  const rows = (phone) =>
    view.inbox
      .filter((line) => line.phone === phone)
      .map((line) =>
        el(
          "li",
          { class: `letter ${line.phone ? "phone" : "desktop"} ${line.shared ? "shared" : ""}`, "data-client": line.code },
          el("span", { class: "client" }, line.label),
          el(
            "div",
            { class: "letter-line", lang: view.language },
            el("span", { class: "sender" }, cut(line.sender, line.cut_sender)),
            el("time", {}, word("today")),
            el("span", { class: "subject" }, cut(line.subject, line.cut_subject)),
            line.preview ? el("span", { class: "opening" }, cut(line.preview, line.cut_preview)) : null,
          ),
        ),
    );
  return [
    el("div", { class: "sheet-of-paper wide" },
      el("h2", {}, word("onDesktop")), el("ul", { class: "letters" }, rows(false)),
      el("h2", {}, word("onPhone")), el("ul", { class: "letters phones" }, rows(true)),
      el("p", { class: "quiet" }, word("inboxNote")),
    ),
  ];
}

function cut(text, isCut) {
  return isCut ? `${text}…` : text;
}

function headers(view) {
  const toggle = el("input", { type: "checkbox", id: "raw-headers", checked: rawHeaders });
  toggle.addEventListener("change", () => {
    rawHeaders = toggle.checked;
    fill(byId("pane-headers"), headers(view));
    byId("raw-headers").focus();
  });
  const row = (header) =>
    el("tr", {}, el("th", { scope: "row" }, header.name), el("td", { class: rawHeaders ? "as-written" : "" }, rawHeaders ? header.raw : header.decoded));
  return el(
    "div",
    { class: "sheet-of-paper wide" },
    el("label", { class: "switch" }, toggle, el("span", {}, word("rawHeaders"))),
    el("div", { class: "scroll", tabindex: "0" }, el("table", { class: "grid" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, word("name")), el("th", { scope: "col" }, word("value")))),
      el("tbody", {}, view.headers.map(row)))),
  );
}

function size(view) {
  const total = view.sizes.message;
  const bodies = view.parts.reduce((sum, part) => sum + part.encoded, 0);
  const bar = (bytes) => {
    const inner = el("span", { class: "share" });
    inner.style.width = `${Math.max(0.5, (bytes / total) * 100)}%`;
    return el("td", { class: "bar-cell" }, inner, el("span", { class: "sr" }, `${Math.round((bytes / total) * 100)}%`));
  };
  const row = (name, encoding, encoded, decoded) =>
    el("tr", {},
      el("th", { scope: "row" }, name), el("td", {}, encoding),
      el("td", { class: "number" }, kilobytes(encoded)), el("td", { class: "number" }, decoded === null ? "" : kilobytes(decoded)), bar(encoded));
  const numbers = ["encoded", "decoded"];
  const head = ["part", "encoding", ...numbers, "share"].map((key) =>
    el("th", { scope: "col", class: numbers.includes(key) ? "number" : null }, word(key)));
  return el("div", { class: "sheet-of-paper wide" },
    el("div", { class: "scroll", tabindex: "0" }, el("table", { class: "grid sizes" },
      el("thead", {}, el("tr", {}, head)),
      el("tbody", {},
        view.parts.map((part) => row(part.filename ?? part.content_type, part.encoding, part.encoded, part.decoded)),
        row(word("headerBlock"), "", total - bodies, null)),
      el("tfoot", {}, row(word("wholeMessage"), "", total, null)))));
}

async function showLines(pane, kind, view) {
  const key = `${kind}/${view.id}`;
  if (pane.dataset.shows === key) return;
  if (!fetched.has(key)) {
    if (fetched.size > 12) fetched.clear();
    fetched.set(key, getText(`views/${view.id}/${kind}`));
  }
  const text = await fetched.get(key);
  pane.dataset.shows = key;
  const copy = el("button", { type: "button", class: "chip" }, word("copy"));
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = word("copied");
  });
  const lines = text.replace(/\r\n/g, "\n").replace(/\n$/, "").split("\n");
  const code = el("code", { class: "lines", translate: "no" });
  const paint = kind === "source" ? paintHtml() : (line) => [line];
  lines.forEach((line, index) => code.append(el("span", { class: "line", "data-at": String(index + 1) }, ...paint(line), "\n")));
  fill(pane, el("div", { class: "sheet-of-paper wide" }, el("div", { class: "line-tools" }, copy), el("pre", { class: "listing" }, code)));
}

// Colours for HTML, line by line: tags, attribute values, comments. Long styles stay one piece.
function paintHtml() {
  let inComment = false;
  return (line) => {
    const pieces = [];
    let rest = line;
    while (rest) {
      const [length, kind] = nextPiece(rest, inComment);
      const piece = rest.slice(0, length);
      inComment = kind === "comment" && !piece.endsWith("-->");
      if (kind === "tag") pieces.push(...paintTag(piece));
      else pieces.push(kind ? el("span", { class: kind }, piece) : piece);
      rest = rest.slice(length);
    }
    return pieces;
  };
}

function nextPiece(rest, inComment) {
  if (inComment || rest.startsWith("<!--")) {
    const end = rest.indexOf("-->");
    return [end < 0 ? rest.length : end + 3, "comment"];
  }
  const tag = /^<[^>]*>/.exec(rest);
  if (tag) return [tag[0].length, "tag"];
  const end = rest.indexOf("<", 1);
  return [end < 0 ? rest.length : end, ""];
}

function paintTag(tag) {
  return tag.split(/("[^"]*")/).map((piece, index) => el("span", { class: index % 2 ? "value" : "tag" }, piece));
}
