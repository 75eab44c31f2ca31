// What the reader chose. It stands in the address, so that reload, back and a second window keep it.

const DEFAULTS = {
  as: "",
  tab: "html",
  width: window.innerWidth < 720 ? 375 : 640,
  images: true,
  styles: true,
  dark: "off",
  zoom: 100,
};
const TABS = ["html", "text", "inbox", "source", "headers", "raw", "size"];
const DARK = ["off", "author", "partial", "outlook", "full"];
const READ = {
  as: String,
  tab: (value) => (TABS.includes(value) ? value : "html"),
  width: (value) => clamp(Number(value) || DEFAULTS.width, 280, 1200),
  images: (value) => value !== "off",
  styles: (value) => value !== "off",
  dark: (value) => (DARK.includes(value) ? value : "off"),
  zoom: (value) => clamp(Number(value) || 100, 50, 300),
};
const WRITE = { images: (on) => (on ? "on" : "off"), styles: (on) => (on ? "on" : "off") };

export const base = new URL("..", import.meta.url);
export const tabs = TABS;
export const darkModes = DARK;
export const state = { number: null, ...DEFAULTS };

export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, Math.round(value)));
}

export function readAddress() {
  const rest = location.pathname.slice(base.pathname.length);
  state.number = /^\d+$/.test(rest) ? Number(rest) : null;
  const query = new URLSearchParams(location.search);
  for (const [key, read] of Object.entries(READ)) {
    state[key] = query.has(key) ? read(query.get(key)) : DEFAULTS[key];
  }
}

export function address(number = state.number) {
  const query = new URLSearchParams();
  for (const key of Object.keys(READ)) {
    if (state[key] !== DEFAULTS[key]) query.set(key, WRITE[key]?.(state[key]) ?? state[key]);
  }
  const url = new URL(number === null ? "" : String(number), base);
  url.search = query.toString();
  return url;
}

export function keepAddress() {
  history.replaceState(null, "", address());
}

export function api(path, parameters = {}) {
  const url = new URL(path, base);
  for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
  return url;
}

export async function getJson(path, parameters, options) {
  const answer = await fetch(api(path, parameters), options);
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

export async function getText(path) {
  const answer = await fetch(api(path));
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}
