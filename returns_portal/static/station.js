// The dock's keyboard. A wedge scanner types wherever the cursor happens to be, in whatever layout the PC has: keys are
// read by their place on the keyboard (event.code), and what the layout made of them goes along for the server to judge.
import {
  $, CONDITIONS, add, announce, count, dock, enhance, fill, forget, here, keep, miss, name, press, putAside, recent, remember,
  restore, rows, said, show, stand, tally, tell, total, turn,
} from "./station-parcel.js";
import { tone } from "./station-tones.js";
import { control, eans } from "./station-codes.js";
import { blindEntry, countBlind, isBlind, openBlind } from "./station-blind.js";
import { enqueue, flush, show as showQueue } from "./station-queue.js";
import { showPhotoButtons } from "./station-photo.js";
import { possible as cameraPossible, toggle as toggleCamera } from "./station-camera.js";

const PLACES = {
  Minus: "-", NumpadSubtract: "-", Slash: "/", Period: ".", NumpadDecimal: ".", NumpadAdd: "+", Equal: "+", BracketRight: "]",
  Semicolon: ":", Quote: "'", Comma: ",", BracketLeft: "[", Backslash: "\\", IntlBackslash: "\\",
};
const SEPARATOR = "\x1d"; // What scanners type between GS1 elements: Ctrl with the closing bracket.
const SCANNER_MS = 60; // Scanners type a key every 2 to 30 ms; people need longer.
const REST_MS = 1000; // After so long another scan may begin: none halts like that in its middle.
const SHORTEST = 4; // Letters of a burst that is taken for a scan.
const ARTICLE = /^\d{8,14}$/; // The digits of an EAN, a UPC or a GTIN.
const COMMAND_MS = 140; // After so long a lone key was a person's, not the beginning of a scan.

// --- Speaking with the server, one thing after the other ---------------------------------------------------------------

let order = Promise.resolve();

// Promises whether there was an answer. `away` is what is done where there was none; `closes` is the parcel that is
// counted once this has landed, and need not be kept here then.
function load(url, options, away = offline, closes = undefined) {
  order = order.then(() => exchange(url, options, closes)).catch(away);
  return order;
}

function offline() {
  tell("bad", said.dataset.offline);
  tone("bad");
  return false;
}

const send = (form, away, closes) => load(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }, away, closes);

// Its check-in is shown: this one, or that of somebody who was first.
const isCounted = (answer, fresh) =>
  answer.redirected ? new URL(answer.url).searchParams.has("done") : answer.status === 409 && Boolean(fresh.querySelector(".counted"));

// The parcel is written into this browser, and the next one may come.
function queue(entry, which) {
  enqueue(entry);
  forget(which);
  $(".work").replaceChildren();
  $(".done")?.remove();
  tell("wait", said.dataset.offline, said.dataset.queued);
  remember();
  restore();
  tone("wait");
  flush();
  return true;
}

async function exchange(url, options, closes) {
  const answer = await fetch(url, options);
  // A gateway that answers for a server which is away says no more than no answer does.
  if ([502, 503, 504].includes(answer.status)) throw new Error(String(answer.status));
  if (new URL(answer.url).pathname === "/sign-in") return location.assign(answer.url);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("dock");
  if (!fresh) return offline();
  if (answer.status === 404 && count()) {
    // A code that nobody knows does not take the open parcel off the screen.
    const [words, small] = fresh.querySelector(".state").children;
    tell("bad", words.textContent, small.textContent);
    tone("bad");
    return true;
  }
  if (closes && isCounted(answer, fresh)) forget(closes);
  dock.replaceChildren(...fresh.childNodes);
  document.querySelector(".flash").replaceChildren(...page.querySelector(".flash").childNodes);
  if (!options || answer.redirected) history.replaceState(null, "", answer.url);
  begin();
  tone($(".state").dataset.tone);
  flush();
  return true;
}

function begin() {
  remember();
  enhance();
  if (restore()) {
    rows().forEach(show);
    tally();
  }
  stand(0);
  announce();
  showQueue();
  showPhotoButtons();
  $("#camera").hidden = !cameraPossible();
  ($("#pin") ?? $("#code")).focus({ preventScroll: true });
}

function closeBlind(form) {
  if (!rows().some(total) && !form.elements.empty.checked) {
    putAside(form);
    $(".work").replaceChildren();
    tell("wait", fill(said.dataset.needs, { code: form.elements.rma.value }), "");
    remember();
    restore();
    return tone("wait");
  }
  return queue(blindEntry(), name(form));
}

async function close() {
  const form = count();
  if (isBlind()) return closeBlind(form);
  const unseen = rows().filter((row) => Number(row.dataset.expected) && !total(row) && !row.dataset.missing);
  if (unseen.length && !form.dataset.sure) {
    form.dataset.sure = "asked";
    tell("wait", fill(said.dataset.sure, { n: unseen.length }));
    tone("wait");
    return;
  }
  if (!rows().some(total) && !form.elements.else_what.value) form.elements.empty.checked = true;
  const { rma, token } = form.elements;
  const fields = [...new FormData(form)];
  const n = rows().reduce((sum, row) => sum + total(row), 0);
  const which = name(form);
  await send(form, () => queue({ id: token.value, url: form.getAttribute("action"), code: rma.value, n, fields, at: new Date().toISOString() }, which), which);
}

// --- The keyboard, and the scanner that pretends to be one -------------------------------------------------------------

let struck = ""; // By place on the keyboard.
let typed = ""; // By what the layout made of it.
let last = 0;
let scannedAt = -Infinity; // When the last scan ended.
let fast = true;
let burst = 0; // Where in `struck` the letters after the last rest begin; `fast` is said of these.
let field; // In which the letters are typed; none where it is the station's own.
let pause;

function drop() {
  [struck, typed, fast, burst] = ["", "", true, 0];
}

function clear() {
  drop();
  $("#code").value = "";
  clearTimeout(pause);
}

async function scanned(code, letters) {
  clear();
  const same = (text) => text.toUpperCase() === code || text.toUpperCase() === letters.toUpperCase();
  const articles = [...eans(code), ...eans(letters)];
  const command_ = control(code) ?? control(letters.toUpperCase());
  if (command_ === "undo") return $("#undo")?.requestSubmit();
  if (command_ && count()) return controlled(command_);
  if (count()) {
    if (code.length === 1 && command(code)) return;
    if (code.replace(/[^0-9A-Z]/g, "") === count().elements.rma.value.replaceAll("-", "")) {
      tell("wait", said.dataset.same);
      return tone("wait");
    }
    const row = rows().find((each) => same(each.dataset.sku) || articles.includes(each.dataset.codes)) ?? alike(code, letters);
    if (row) return countItem(row);
    const fellow = [...dock.querySelectorAll("[data-fellow]")].find((each) =>
      each.dataset.codes.split("\n").some((text) => same(text) || articles.includes(text)));
    if (fellow) {
      tell("wait", fill(said.dataset.fellow, { rma: fellow.dataset.fellow }));
      return tone("bad");
    }
    if (isBlind() && !isOnLabel(code) && !isOnLabel(letters.toUpperCase())) {
      countBlind(code, letters);
      return tone("good");
    }
    keep();
  }
  const along = [...new FormData($("#scan"))].filter(([key]) => ["box", "found"].includes(key));
  await load(`/station?${new URLSearchParams([["code", code], ["typed", letters], ...along])}`, undefined, () => away(code, letters));
}

// Under another layout a scanner's keys make other signs of what stands between letters and digits.
const shape = (text) => text.toUpperCase().replace(/[^\p{L}\p{N}]+/gu, "-");

function alike(...texts) {
  if (isBlind()) return undefined; // Its rows are what was scanned, and two of these may be two articles.
  const wanted = texts.map(shape).filter((text) => text.length >= SHORTEST);
  const found = rows().filter((each) => wanted.includes(shape(each.dataset.sku)));
  return new Set(found.map((each) => each.dataset.sku)).size === 1 ? found[0] : undefined;
}

// An article's number may have nine letters and begin with R; what is printed on a label has its dashes.
const isOnLabel = (code) => /^R-[0-9A-Z]{4}-[0-9A-Z]{4}$/.test(code);
const isReturn = (code) => /^R-?[0-9A-Z]{4}-?[0-9A-Z]{4}$/.test(code);

// Without an answer, a return's number opens a parcel all the same; anything else waits for the network.
function away(code, letters) {
  const waiting = count() && !isBlind();
  if (waiting && !isReturn(code)) return offline();
  openBlind(code, letters);
  tone("wait");
  return false;
}

function controlled(what) {
  const row = recent && rows().includes(recent) ? recent : rows()[here];
  if (what === "done") return close();
  if (what === "empty" || what === "later") {
    const box = count().elements[what];
    if (box) box.checked = !box.checked;
    tell("wait", box?.closest("label").textContent.trim() ?? "");
  } else if (!row) return;
  else if (what === "missing") miss(rows()[here]);
  else turn(row, what);
  tone("good");
}

function countItem(row) {
  stand(rows().indexOf(row));
  row.closest("details")?.setAttribute("open", "");
  const full = total(row) >= Math.max(Number(row.dataset.expected), 1);
  if (full) add(row, 1);
  else press(row, CONDITIONS[0]);
  tone(full ? "wait" : "good");
}

function command(key) {
  const row = rows()[here];
  if (!row) return false;
  if (key >= "1" && key <= "4") press(row, CONDITIONS[key - 1]);
  else if (key === "0") miss(row);
  else if (key === "+" || key === "-") add(row, key === "+" ? 1 : -1);
  else return false;
  return true;
}

function place(event) {
  const { code } = event;
  if (/^(Key[A-Z]|Digit\d|Numpad\d)$/.test(code)) return code.at(-1);
  return PLACES[code] ?? "";
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey && event.code === "BracketRight" && struck) {
    event.preventDefault();
    return void ([struck, typed] = [struck + SEPARATOR, typed + SEPARATOR]);
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const elsewhere = event.target.matches("input:not(#code, [type=checkbox]), textarea, select");
  leave(elsewhere ? event.target : undefined, event.timeStamp);
  // A space belongs to a scan only in its midst; a person's presses the button on which the cursor stands.
  const letter = place(event) || (event.code === "Space" && struck && event.timeStamp - last < SCANNER_MS ? " " : "");
  if (event.key === "Enter") return enter(event, elsewhere);
  if (letter) return strike(event, letter, elsewhere);
  const keys = {
    F2: () => $("#undo")?.requestSubmit(),
    F3: () => $("#words").focus(),
    F4: () => toggleCamera(scanned),
    Escape: () => (clear(), $("#code").focus()),
    ...(!elsewhere && { ArrowDown: () => stand(here + 1), ArrowUp: () => stand(here - 1) }),
    ...(!elsewhere && struck && { Backspace: () => ([struck, typed] = [struck.slice(0, -1), typed.slice(0, -1)]) }),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
  $("#code").value = struck;
});

// What was typed into one field is no beginning of what comes in another; only a scan may find the cursor moved under it.
function leave(target, now) {
  if (target !== field && now - last > SCANNER_MS && struck) (field ? drop : clear)();
  field = target;
}

function strike(event, letter, elsewhere) {
  const gap = event.timeStamp - last;
  last = event.timeStamp;
  // In a field of its own a person's typing is left alone; only a burst that no hand can type is taken for a scan.
  if (elsewhere && gap > SCANNER_MS) drop();
  if (struck && gap > REST_MS) [burst, fast] = [struck.length, true];
  else if (struck && gap > SCANNER_MS) fast = false;
  clearTimeout(pause);
  struck += letter;
  typed += event.key.length === 1 ? event.key : letter;
  if (elsewhere) return;
  event.preventDefault();
  $("#code").value = struck;
  if (struck.length === 1 && count() && "01234+-".includes(letter)) {
    pause = setTimeout(() => {
      clear();
      command(letter);
    }, COMMAND_MS);
  }
}

function enter(event, elsewhere) {
  const field = event.target;
  // Some scanners end each scan with two Enters; the second one closes no parcel.
  if (!struck && event.timeStamp - scannedAt < SCANNER_MS) return event.preventDefault();
  if (elsewhere) {
    if (!(fast && struck.length >= SHORTEST && event.timeStamp - last < SCANNER_MS)) {
      if (field.form?.id !== "count" || field.matches("textarea")) return;
      event.preventDefault();
      return $("#code").focus();
    }
    // In the field for that, an article is looked for: the form goes as it does for who types.
    if (field.id === "words" && ARTICLE.test(field.value.trim())) return clear();
    // The scanner typed into this field: its letters are taken out again, and meant what they always mean.
    field.value = field.value.slice(0, -typed.length);
  } else if (!struck && !$("#code").value) {
    if (field.matches("a, button, summary, input[type=checkbox]")) return;
    event.preventDefault();
    if (count()) close();
    return;
  }
  event.preventDefault();
  // Letters that a hand left in the field are no part of the scan that follows them.
  const from = fast && struck.length - burst >= SHORTEST ? burst : 0;
  scannedAt = event.timeStamp;
  scanned(struck.slice(from) || $("#code").value.trim().toUpperCase(), typed.slice(from) || $("#code").value.trim());
}

// --- The mouse and the finger ------------------------------------------------------------------------------------------

dock.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  const button = event.target.closest("button, a");
  if (button?.id === "camera") return toggleCamera(scanned);
  if (row && button?.type === "button") {
    stand(rows().indexOf(row));
    if (button.dataset.condition) press(row, button.dataset.condition);
    else if ("missing" in button.dataset) miss(row);
    else add(row, "more" in button.dataset ? 1 : -1);
  } else if (button?.matches("a[href^='/station?']")) {
    event.preventDefault();
    keep();
    const code = new URL(button.href).searchParams.get("code");
    load(button.href, undefined, () => (code ? away(code, code) : offline()));
  }
  if (event.detail && !event.target.closest("input, textarea, summary, label")) $("#code").focus({ preventScroll: true });
});

dock.addEventListener("input", (event) => {
  if (event.target.form?.id === "count") keep();
});

dock.addEventListener("submit", (event) => {
  const form = event.target;
  // A change of the person is another page, and a file is no text.
  if (form.id === "badge" || form.enctype === "multipart/form-data") return;
  // Where the station stands is in the whole page, which is kept for when there is no network.
  if (form.id === "where") {
    if (navigator.onLine) return;
    event.preventDefault();
    return void offline();
  }
  event.preventDefault();
  if (form.id === "scan") scanned($("#code").value.trim().toUpperCase(), $("#code").value.trim());
  else if (form.id === "count") close();
  else send(form);
});

begin();
flush();
// A reload without the network brings the empty station: the parcel that was asked for is counted all the same.
const asked = new URLSearchParams(location.search).get("code");
if (asked && !navigator.onLine && !count()) away(asked.toUpperCase(), asked);

navigator.serviceWorker?.register(said.dataset.worker, { scope: "/station" }).then(async () => {
  const { active } = await navigator.serviceWorker.ready;
  const files = performance.getEntriesByType("resource").map((entry) => entry.name).filter((file) => new URL(file).pathname.startsWith("/static/"));
  active.postMessage({ files: ["/station", said.dataset.reader, said.dataset.wasm, ...files] });
}).catch(() => undefined); // Where a browser has none, a reload needs the network; nothing else does.
// A scan may have begun before this script was there: its first letters lie in the field, as the layout made them.
[struck, typed] = [$("#code").value.toUpperCase(), $("#code").value];
if (struck) last = Infinity; // However long this script took to come: the next letter belongs to them.
