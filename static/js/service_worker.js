// @ts-check
/// <reference lib="webworker" />
// Shows a page where the network is away, and does nothing else: what is not asked for to be shown as a page goes past
// it, and so do streams, files and what is posted. It keeps that one page with what it needs, and no other.
(() => {
  const { version, page, needs } = /** @type {{ version: string, page: string, needs: string[] }} */ (
    /** @type {any} */ (self).kept // written by chat/pwa.py in the line above
  );
  const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
  const PREFIX = "engawa-offline-";
  const NAME = PREFIX + version;
  const NEEDS = new Set(needs.map((path) => new URL(path, worker.location.origin).href));
  // Pages that do not end, and files: a browser gets them by itself.
  const NOT_OURS = /\/(stream|export)\b|^\/(static|words|admin|api|health|embed)\//;

  worker.addEventListener("install", (event) => {
    event.waitUntil(keep());
  });
  worker.addEventListener("activate", (event) => {
    event.waitUntil(take());
  });
  worker.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== worker.location.origin) return;
    if (request.mode === "navigate") {
      if (!NOT_OURS.test(url.pathname)) event.respondWith(fetch(request).catch(() => kept(page)));
    } else if (NEEDS.has(url.href)) {
      event.respondWith(fetch(request).catch(() => kept(url.href)));
    }
  });

  async function keep() {
    const cache = await caches.open(NAME);
    await cache.addAll([page, ...needs].map((path) => new Request(path, { cache: "reload", credentials: "omit" })));
    await worker.skipWaiting();
  }

  async function take() {
    const names = await caches.keys();
    await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
    await worker.clients.claim();
  }

  /** @param {string} path */
  async function kept(path) {
    return (await (await caches.open(NAME)).match(path)) ?? Response.error();
  }
})();
