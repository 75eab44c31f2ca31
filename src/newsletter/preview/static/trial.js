// Sending the message on the screen to an address typed in, through the configured relay.

import { byId, coded, el, fill } from "./dom.js";
import { api, state } from "./state.js";
import { word } from "./words.js";

const field = byId("trial-to");
let busy = false;

export function setUpTrial() {
  field.value = localStorage.getItem("trial-to") ?? "";
  byId("trial-form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!busy) send(field.value.trim());
  });
}

async function send(to) {
  busy = true;
  localStorage.setItem("trial-to", to);
  tell("", word("trialSending"));
  try {
    const answer = await fetch(api(`api/issues/${state.number}/trial`), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ to, as: state.as }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    const told = await answer.json();
    if (told.accepted) tell("good", word("trialAccepted", told.to), told.reply);
    else if (told.problems.length) tell("bad", ...told.problems.map((problem) => problem.message));
    else tell("bad", word("trialRefused", told.to), told.reply);
  } catch (error) {
    tell("bad", error.message);
  } finally {
    busy = false;
  }
}

function tell(kind, ...lines) {
  fill(byId("trial-result"), lines.filter(Boolean).map((line, index) => el("p", { class: index ? "quiet" : `told ${kind}` }, coded(line))));
}
