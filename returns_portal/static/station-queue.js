// Parcels that were closed while the network was away. Each is written into this browser before it is shown as queued, and
// goes when the server has said what became of it; its own id makes it land once, however often it is sent.
import { $, dock, fill, keepValues, said, tell } from "./station-parcel.js";
import { tone } from "./station-tones.js";

// The station's, not a person's: who changes the badge sends what is still here.
const STORE = "dock-queue";
const all = () => JSON.parse(localStorage.getItem(STORE) ?? "[]");
const write = (entries) => {
  localStorage.setItem(STORE, JSON.stringify(entries));
  show();
};

// Promises nothing: what it returns from is written.
export function enqueue(entry) {
  write([...all().filter((each) => each.id !== entry.id), { ...entry, state: "queued", words: "" }]);
}

const drop = (id) => write(all().filter((each) => each.id !== id));
const mark = (id, changes) => write(all().map((each) => (each.id === id ? { ...each, ...changes } : each)));

// --- Sending ---------------------------------------------------------------------------------------------------------------

const RETRY_MS = 5000;
let timer;

export async function flush() {
  clearTimeout(timer);
  if (!all().some((each) => each.state === "queued")) return;
  // Of several tabs of this station, one sends.
  if (navigator.locks) await navigator.locks.request("dock-queue", { ifAvailable: true }, (lock) => lock && sendAll());
  else await sendAll();
  if (all().some((each) => each.state === "queued")) timer = setTimeout(flush, RETRY_MS);
}

async function sendAll() {
  let landed = 0;
  for (const entry of all().filter((each) => each.state === "queued")) {
    const outcome = await deliver(entry).catch(() => "away");
    if (outcome === "away") return;
    if (outcome === "signed out") return void ($("#signed-out").hidden = false);
    landed += outcome === "landed";
  }
  if (landed && !$("#count")) {
    tell("good", said.dataset.sent, "");
    tone("good");
  }
}

async function deliver(entry, again = true) {
  const fields = [...entry.fields.filter(([name]) => !["_csrf_token", "queued"].includes(name)), ["queued", entry.at], ["_csrf_token", said.dataset.csrf]];
  const answer = await fetch(entry.url, { method: "POST", body: new URLSearchParams(fields) });
  if ([429, 502, 503, 504].includes(answer.status)) return "away";
  if (isSignIn(answer)) return "signed out";
  // What the server stumbles over is tried again, and keeps nothing behind it from landing.
  if (answer.status >= 500) return "later";
  if (answer.status === 403 && again) {
    const token = await freshToken();
    if (!token) return "signed out";
    if (token !== said.dataset.csrf) return (said.dataset.csrf = token), deliver(entry, false);
  }
  if (answer.headers.get("content-type")?.startsWith("application/json")) return settle(entry, await answer.json());
  if (answer.ok && new URL(answer.url).searchParams.has("done")) {
    drop(entry.id);
    return "landed";
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const state = page.querySelector(".state, main h1");
  const compared = answer.status === 409 && page.querySelector(".counted"); // The server has it beside the other count.
  const aside = Boolean(compared) || keepValues(entry);
  mark(entry.id, { aside, state: "refused", words: [...(state?.childNodes ?? [])].map((node) => node.textContent).join(": ") });
  return "refused";
}

function settle(entry, landed) {
  if (landed.outcome === "checked_in") {
    drop(entry.id);
    return "landed";
  }
  mark(entry.id, { state: "refused", words: landed.words, href: `/station/found/${landed.id}` });
  return "refused";
}

const isSignIn = (answer) => new URL(answer.url).pathname === "/sign-in";

// The token of forms is the browser's; a page that was kept for long may hold an old one. None for who is signed out.
async function freshToken() {
  const answer = await fetch("/station");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return isSignIn(answer) ? "" : page.getElementById("said")?.dataset.csrf;
}

// --- What is seen of it ------------------------------------------------------------------------------------------------------

export function show() {
  const entries = all();
  $("#queue").hidden = !entries.length;
  $("#signed-out").hidden = true;
  $("#queued").textContent = entries.filter((each) => each.state === "queued").length || "";
  $("#queue ul").replaceChildren(...entries.map(line));
}

function line(entry) {
  const item = document.createElement("li");
  const what = document.createElement(entry.href || entry.state === "refused" ? "a" : "span");
  what.className = "code";
  what.textContent = fill(said.dataset.entry, { code: entry.code, n: entry.n });
  if (what.tagName === "A") what.href = entry.href ?? `/station?${new URLSearchParams({ code: entry.code })}`;
  item.append(what);
  if (entry.words) {
    const words = document.createElement("span");
    words.textContent = entry.words;
    const seen = document.createElement("button");
    seen.type = "button";
    seen.className = "plain";
    seen.textContent = said.dataset.remove;
    seen.addEventListener("click", () => drop(entry.id));
    // What lies nowhere else stays, until the server has it or it is put aside here.
    item.append(words, ...(entry.href || entry.aside ? [seen] : []));
  }
  return item;
}

addEventListener("online", () => flush());
addEventListener("storage", (event) => event.key === STORE && dock.isConnected && show());
