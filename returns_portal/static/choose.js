// Keeps the amounts in step with what is chosen. The server works them out: the same page, asked for with the choice as
// it stands. Without this script the button "Update amounts" does the same.
const form = document.querySelector("form[data-preview]");
const update = form.querySelector("[data-update]");
update.hidden = true;

let asked = 0;
let waiting;

// Copies, and the value besides: taken one by one out of a list, each option that leaves lets the next one be chosen, and
// it would be chosen here.
function show(part, fresh) {
  part.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
  if (part.matches("select")) part.value = fresh.value;
}

async function refresh() {
  const mine = ++asked;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("step", "preview");
  try {
    const answer = await fetch(location.href, { method: "POST", body: fields });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    // An answer that was overtaken by a later choice is not shown.
    if (!answer.ok || mine !== asked) return;
    const { name, value } = document.activeElement ?? {};
    for (const part of form.querySelectorAll("[data-part]")) {
      show(part, fresh.querySelector(`[data-part="${part.dataset.part}"]`));
    }
    // A choice that was replaced together with its part keeps the focus.
    if (name && !form.contains(document.activeElement)) {
      form.querySelector(`[name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`)?.focus();
    }
  } catch {
    update.hidden = false;
  }
}

form.addEventListener("change", (event) => {
  const quantity = event.target.closest(".many");
  if (quantity) quantity.closest(".item-row").querySelector("input[type=checkbox]").checked = true;
  if (!["line", "refund_to", "faulty", "exchange_at_once"].includes(event.target.name) && !quantity) return;
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 120);
});

// A second press of the button while the first is on its way would only make the customer wait longer.
form.addEventListener("submit", (event) => {
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
addEventListener("pageshow", () => delete form.dataset.sent);
