// The staff's inbox by keyboard, and who else has a question open. Without this script everything is a link or a button.
const KEPT = "inbox-keys";
const EVERY_MS = 20000;

// The letters as the American board has them: on a Cyrillic layout the same places are meant.
function letterOf(event) {
  if (event.key === "?" || (event.code === "Slash" && event.shiftKey)) return "?";
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key[A-Z]$/.test(event.code) ? event.code.at(-1).toLowerCase() : event.key;
}

const dialog = document.querySelector("dialog.keylist");
const on = dialog.querySelector("[data-keys-on]");
on.checked = localStorage.getItem(KEPT) !== "off";
on.addEventListener("change", () => localStorage.setItem(KEPT, on.checked ? "on" : "off"));
document.querySelector("[data-keys]").hidden = false;
document.querySelector("[data-keys-open]").addEventListener("click", () => dialog.showModal());

const links = [...document.querySelectorAll("[data-queue] > li > a")];

function move(by) {
  const place = links.findIndex((link) => link.closest("li").contains(document.activeElement));
  links[place < 0 ? 0 : Math.min(Math.max(place + by, 0), links.length - 1)]?.focus();
}

function reach(target) {
  const field = document.querySelector(target);
  field?.closest("details")?.setAttribute("open", "");
  field?.focus();
  field?.scrollIntoView({ block: "nearest" });
}

const DOES = new Map([
  ["j", () => move(1)],
  ["k", () => move(-1)],
  ["o", () => links.find((link) => link === document.activeElement)?.click()],
  ["r", () => reach("#body")],
  ["n", () => reach("#note")],
  ["a", () => document.querySelector("[data-mine]")?.click()],
  ["u", () => document.querySelector(".back a")?.click()],
  ["?", () => dialog.showModal()],
]);
const ARROWS = new Map([["ArrowDown", DOES.get("j")], ["ArrowUp", DOES.get("k")]]);

function typing(element) {
  return element.isContentEditable || element.matches("input:not([type=checkbox], [type=radio]), textarea, select");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (dialog.open || !on.checked || typing(event.target)) return;
  const key = letterOf(event);
  // Arrows belong to the page, which they scroll, until somebody is within the list.
  const inList = event.target.closest("[data-queue]");
  const does = (inList && ARROWS.get(key)) || DOES.get(key);
  if (!does) return;
  event.preventDefault();
  does();
});

const here = document.querySelector("[data-here]");

async function stillHere() {
  if (document.hidden) return;
  const body = new URLSearchParams({ _csrf_token: document.querySelector("[name=_csrf_token]").value });
  try {
    const answer = await fetch(here.dataset.here, { method: "POST", body });
    if (!answer.ok || answer.redirected) return;
    const said = (await answer.json()).join(" ");
    if (here.textContent.trim() === said) return;
    const notice = Object.assign(document.createElement("p"), { className: "notice wait", textContent: said });
    here.replaceChildren(...(said ? [notice] : []));
  } catch {
    // Asked again in a while: nothing depends on it.
  }
}

if (here) {
  setInterval(stillHere, EVERY_MS);
  document.addEventListener("visibilitychange", stillHere);
}
