// Shows Stripe's form for a card, and sends the customer on once Stripe has taken it. The number stays with Stripe.
const form = document.querySelector("form[data-payment]");
const { key, secret, kind, back } = form.dataset;
const said = form.querySelector("[data-said]");
const button = form.querySelector("button");

const style = getComputedStyle(document.documentElement);
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const stripe = globalThis.Stripe?.(key, { locale: document.documentElement.lang });

if (stripe) {
  const elements = stripe.elements({
    clientSecret: secret,
    appearance: { theme: dark ? "night" : "stripe", variables: { fontFamily: style.fontFamily } },
  });
  elements.create("payment").mount(form.querySelector("[data-element]"));
  button.disabled = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    said.textContent = "";
    const confirm = kind === "setup" ? stripe.confirmSetup : stripe.confirmPayment;
    // Where all goes well the browser is sent on, and nothing below happens.
    const { error } = await confirm.call(stripe, { elements, confirmParams: { return_url: back } });
    said.textContent = error?.message ?? form.dataset.failed;
    button.disabled = false;
  });
} else {
  said.textContent = form.dataset.failed;
}
