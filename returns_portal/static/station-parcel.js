// The parcel on the screen: how many of each item were counted, in which condition, and what is kept of it in this
// browser until it is closed, so that nothing is lost.
import { eans } from "./station-codes.js";

export const dock = document.getElementById("dock");
export const said = document.getElementById("said");
export const CONDITIONS = ["resellable", "worn", "damaged", "wrong_item"];

export const $ = (selector) => dock.querySelector(selector);
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// --- What is told in words and colour ----------------------------------------------------------------------------------

let who = "";

export function tell(kind, words, small = who) {
  const state = $(".state");
  state.className = `state ${kind}`;
  state.firstElementChild.textContent = words;
  state.querySelector("small").textContent = small;
  announce();
}

export function announce() {
  said.textContent = $(".state").textContent;
}

// Whose parcel it is stands below the words when nothing else does.
export function remember() {
  who = $(".state small").textContent;
}

// --- Counting ------------------------------------------------------------------------------------------------------

export const count = () => $("#count");
export const rows = () => [...dock.querySelectorAll("[data-row]")];
const fields = (row) => [...row.querySelectorAll("input[name^=count-]")];
export const total = (row) => fields(row).reduce((sum, field) => sum + Number(field.value), 0);
const field = (row, condition) => fields(row).find((each) => each.name.endsWith(`-${condition}`));
export let here = 0;
export let recent; // The row that was counted last, to which a control code belongs.

function change(row, work) {
  delete count().dataset.sure;
  work();
  show(row);
  tally();
  keep();
}

export function press(row, condition) {
  recent = row;
  change(row, () => {
    row.dataset.missing = "";
    row.dataset.last = condition;
    if (Number(row.dataset.expected) && total(row) >= Math.max(Number(row.dataset.expected), 1)) {
      const other = fields(row).find((each) => Number(each.value) && each !== field(row, condition));
      if (!other) return;
      other.value = Number(other.value) - 1;
    }
    field(row, condition).value = Number(field(row, condition).value) + 1;
  });
  if (total(row) >= Number(row.dataset.expected)) goOn(row);
}

// The unit that was counted last, in another condition.
export function turn(row, condition) {
  const last = row.dataset.last ?? CONDITIONS[0];
  if (!Number(field(row, last).value)) return press(row, condition);
  change(row, () => {
    field(row, last).value = Number(field(row, last).value) - 1;
    field(row, condition).value = Number(field(row, condition).value) + 1;
    row.dataset.last = condition;
  });
}

export function add(row, difference) {
  recent = row;
  change(row, () => {
    const last = row.dataset.last ?? CONDITIONS[0];
    const target = difference < 0 && !Number(field(row, last).value) ? fields(row).find((each) => Number(each.value)) : field(row, last);
    if (target) target.value = Math.max(0, Number(target.value) + difference);
    row.dataset.missing = "";
  });
}

export function miss(row) {
  change(row, () => {
    for (const each of fields(row)) each.value = 0;
    row.dataset.missing = "yes";
  });
  goOn(row);
}

function goOn(row) {
  const next = rows().findIndex((each) => Number(each.dataset.expected) && !total(each) && !each.dataset.missing);
  stand(next < 0 ? rows().indexOf(row) : next);
}

export function stand(index) {
  here = Math.min(Math.max(index, 0), rows().length - 1);
  rows().forEach((row, each) => row.classList.toggle("here", each === here));
  rows()[here]?.scrollIntoView({ block: "nearest" });
}

export function show(row) {
  const [counted, expected] = [total(row), Number(row.dataset.expected)];
  for (const button of row.querySelectorAll("button[data-condition]")) {
    const units = Number(field(row, button.dataset.condition).value);
    button.setAttribute("aria-pressed", String(units > 0));
    button.querySelector("b").textContent = units > 1 ? `× ${units}` : "";
  }
  const badge = row.querySelector("[data-badge]");
  const [kind, words] = row.dataset.missing
    ? ["wait", said.dataset.missing]
    : !counted
      ? ["", expected ? said.dataset.unseen : ""]
      : counted === expected || count().dataset.blind
        ? ["good", said.dataset.counted]
        : ["wait", fill(counted < expected ? said.dataset.of : said.dataset.more, { k: counted, n: expected })];
  badge.className = `badge ${kind}`;
  badge.textContent = words;
}

export function tally() {
  const [k, n] = [rows().reduce((sum, row) => sum + total(row), 0), rows().reduce((sum, row) => sum + Number(row.dataset.expected), 0)];
  if (count().dataset.blind) return tell("wait", fill(said.dataset.entry, { code: count().elements.rma.value, n: k }));
  tell(k >= n ? "good" : "wait", fill(said.dataset.here, { k, n }));
}

// Number fields become buttons; the numbers stay in the form as they were.
export function enhance() {
  rows().forEach(enhanceRow);
}

export function enhanceRow(row) {
  for (const label of row.querySelectorAll("label.count")) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.condition = label.dataset.condition;
    const input = label.querySelector("input");
    button.append(...[...label.childNodes].filter((node) => node !== input), document.createElement("b"));
    input.type = "hidden";
    label.replaceWith(button, input);
  }
  for (const button of row.querySelectorAll(".tune [hidden]")) button.hidden = false;
  show(row);
}

// --- Nothing is lost: what was counted is kept in this browser until the parcel is closed ------------------------------

const store = () => `dock:${$("#kept").dataset.for}`;
export const kept = () => JSON.parse(localStorage.getItem(store()) ?? "{}");
export const name = (form) => `${form.elements.rma.value} ${form.elements.parcel.value}`;
const write = (all) => localStorage.setItem(store(), JSON.stringify(all));

export function keep() {
  const form = count();
  if (!form || form.elements.corrects.value) return;
  const values = fieldsToKeep(new FormData(form));
  const missing = rows().filter((row) => row.dataset.missing).map((row) => row.dataset.sku);
  // What was taken off again is gone from what is kept, too: it would come back, and be paid for.
  if (values.length || missing.length || kept()[name(form)]) write({ ...kept(), [name(form)]: { values, missing } });
}

const TEXTS = /^(note|goes-.+|note-.+|(else|foreign)_(what|many))$/;
const fieldsToKeep = (fields) =>
  [...fields].filter(([key, value]) => (key.startsWith("count-") && value !== "0") || (TEXTS.test(key) && value && !/_many$/.test(key)));

// What a station had queued and the server refused is put aside again, as it was counted. Whether it could be.
export function keepValues(entry) {
  const values = fieldsToKeep(entry.fields);
  const of = Object.fromEntries(entry.fields);
  if (of.rma) write({ ...kept(), [`${of.rma} ${of.parcel}`]: { values, missing: [] } });
  return Boolean(of.rma);
}

// Puts a parcel aside of which nothing was counted yet.
export function putAside(form) {
  write({ ...kept(), [name(form)]: { values: fieldsToKeep(new FormData(form)), missing: [] } });
}

// The field that a kept value belongs to. What was counted without the network is named by what was scanned.
function place(form, key) {
  if (form.elements[key]) return form.elements[key];
  const [, article, condition] = key.match(/^count-(.+)-([a-z_]+)$/) ?? [];
  const row = article && rows().find((each) => each.dataset.sku.toUpperCase() === article || eans(article).includes(each.dataset.codes));
  return row && field(row, condition);
}

export function forget(which) {
  const all = kept();
  delete all[which];
  write(all);
}

export function restore() {
  const form = count();
  const mine = form && !form.elements.corrects.value && kept()[name(form)];
  if (mine) {
    for (const [key, value] of mine.values) {
      const target = place(form, key);
      if (!target) continue;
      target.value = value;
      target.closest("details")?.setAttribute("open", "");
    }
    for (const row of rows()) if (mine.missing.includes(row.dataset.sku)) row.dataset.missing = "yes";
  }
  const others = Object.keys(kept()).filter((each) => !form || each !== name(form));
  $("#kept").hidden = !others.length;
  $("#kept ul").replaceChildren(
    ...others.map((each) => {
      const [code, parcel] = each.split(" ");
      const link = document.createElement("a");
      link.className = "button second full code";
      link.href = `/station?${new URLSearchParams(parcel === "1" ? { code } : { code, parcel })}`;
      link.textContent = parcel === "1" ? code : `${code} (${parcel})`;
      const item = document.createElement("li");
      item.append(link);
      return item;
    }),
  );
  return Boolean(mine);
}
