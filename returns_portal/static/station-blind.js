// Counting a parcel of which the server could not be asked: what is in it is scanned all the same, article by article.
import { $, CONDITIONS, count, enhanceRow, kept, name, press, remember, rows, said, stand, tell, fill } from "./station-parcel.js";
import { eans } from "./station-codes.js";

const template = (id) => document.getElementById(id).content.cloneNode(true);

export const isBlind = () => Boolean(count()?.dataset.blind);

export function openBlind(code, typed) {
  $(".work").replaceChildren(template("blind"));
  const form = count();
  form.elements.rma.value = code;
  form.elements.typed.value = typed;
  form.elements.token.value = crypto.randomUUID();
  for (const [key, value] of kept()[name(form)]?.values ?? []) {
    const [, article, condition] = key.match(/^count-(.+)-([a-z_]+)$/) ?? [];
    if (article && CONDITIONS.includes(condition)) rowFor(article).querySelector(`[name="${CSS.escape(key)}"]`).value = value;
    else if (form.elements[key]) form.elements[key].value = value;
  }
  rows().forEach(enhanceRow);
  tell("wait", said.dataset.offline, fill(said.dataset.blind, { code }));
  remember();
  $("#code").focus({ preventScroll: true });
}

function rowFor(article) {
  const known = rows().find((row) => row.dataset.sku === article || eans(article).some((ean) => row.dataset.codes === ean));
  if (known) return known;
  const fragment = template("blind-row");
  const row = fragment.firstElementChild;
  row.dataset.sku = article;
  row.dataset.codes = eans(article)[0] ?? "";
  row.setAttribute("aria-label", article);
  row.querySelector(".size").textContent = article;
  for (const field of row.querySelectorAll("input[name^=count-]")) field.name = `count-${article}-${field.closest("[data-condition]").dataset.condition}`;
  row.querySelector(".about")?.remove();
  count().querySelector("[data-rows]").append(row);
  return row;
}

const LONGEST = 128; // No article's number is longer; the head of a longer symbol tells it from others well enough.

export function countBlind(scanned, letters) {
  const [article, typed] = [scanned.slice(0, LONGEST), letters.slice(0, LONGEST)];
  const row = rowFor(article);
  row.dataset.typed = typed;
  enhanceRow(row);
  stand(rows().indexOf(row));
  press(row, CONDITIONS[0]);
}

// What is sent of it: units by what was scanned, never by lines of an order, which nobody could ask for.
export function blindEntry() {
  const form = count();
  const items = rows().flatMap((row) =>
    [...row.querySelectorAll("input[name^=count-]")]
      .filter((field) => Number(field.value))
      .map((field) => ({
        code: row.dataset.sku,
        typed: row.dataset.typed ?? "",
        quantity: Number(field.value),
        condition: CONDITIONS.find((condition) => field.name.endsWith(`-${condition}`)),
      })),
  );
  const entry = {
    id: form.elements.token.value,
    code: form.elements.rma.value,
    typed: form.elements.typed.value,
    note: form.elements.note.value,
    empty: form.elements.empty.checked,
    items,
  };
  return { id: entry.id, url: "/station/offline", code: entry.code, n: items.reduce((sum, item) => sum + item.quantity, 0), fields: [["entry", JSON.stringify(entry)], ["warehouse", form.elements.warehouse.value]], at: new Date().toISOString() };
}
