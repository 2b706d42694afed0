// Photos on the spot: each is sent as soon as it is taken, under the token of the count, and kept with the parcel.
import { count, dock, said, tell } from "./station-parcel.js";
import { tone } from "./station-tones.js";

export function showPhotoButtons() {
  for (const label of dock.querySelectorAll("label.photo")) label.hidden = Boolean(count()?.dataset.blind);
}

dock.addEventListener("change", async (event) => {
  const label = event.target.closest("label.photo");
  const [photo] = event.target.files ?? [];
  if (!label || !photo) return;
  event.stopPropagation();
  const form = new FormData();
  form.append("_csrf_token", said.dataset.csrf);
  form.append("draft", count().elements.token.value);
  form.append("line_id", label.dataset.photo);
  form.append("photo", photo);
  event.target.value = "";
  const answer = await fetch("/station/photos", { method: "POST", body: form }).catch(() => null);
  if (answer?.status === 201) {
    const badge = label.querySelector("[data-photos]");
    badge.textContent = Number(badge.textContent || 0) + 1;
    badge.className = "badge good";
    return tone("good");
  }
  const told = answer?.headers.get("content-type")?.startsWith("application/json") ? (await answer.json()).error : "";
  tell("bad", answer ? told || String(answer.status) : said.dataset.offline);
  tone("bad");
});
