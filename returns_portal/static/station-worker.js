// Keeps the station's page and what it is made of, so that a reload without the network still shows a station. Scans are not
// kept here: the page queues them itself.
const CACHE = "station";

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

// The page says what it is made of; what it was made of before is dropped.
addEventListener("message", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      const wanted = new Set(event.data.files.map((file) => new URL(file, location.href).href));
      for (const request of await cache.keys()) if (!wanted.has(request.url)) await cache.delete(request);
      for (const file of wanted) if (!(await cache.match(file)) || !new URL(file).search) await cache.add(file).catch(() => undefined);
      event.source?.postMessage("kept");
    })(),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && pathname === "/station") event.respondWith(fetch(request).catch(() => keptOr("/station", request)));
  // What carries its hash never changes.
  else if (pathname.startsWith("/static/")) event.respondWith(search.includes("v=") ? keptOr(request, request) : fetch(request).catch(() => keptOr(request, request)));
});

async function keptOr(key, request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(key)) ?? fetch(request);
}
