// Shows notifications while no page is open, and opens what they are about. It answers no requests
// and keeps nothing. Served from the root, so that it is told of pushes for the whole site.
const worker = /** @type {any} */ (self);

/** @typedef {{ title: string, text: string, url: string, tag: string }} Told */

/** @returns {Promise<any[]>} */
const pages = () => worker.clients.matchAll({ type: "window", includeUncontrolled: true });

/**
 * Only a page of ours is ever opened.
 * @param {string | undefined} url
 */
function ours(url) {
  const found = new URL(url || "/chat", worker.location.origin);
  return found.origin === worker.location.origin ? found.href : `${worker.location.origin}/chat`;
}

/**
 * @param {any} data
 * @returns {Partial<Told>}
 */
function read(data) {
  try {
    return data?.json() ?? {};
  } catch {
    return {};
  }
}

/** @param {Partial<Told>} told */
async function show(told) {
  const url = ours(told.url);
  // Whoever looks at it needs no telling.
  if ((await pages()).some((page) => page.focused && page.url.split("#")[0] === url)) return;
  await worker.registration.showNotification(told.title || worker.location.hostname, {
    body: told.text ?? "",
    // The same told twice is shown once.
    tag: told.tag ?? url,
    icon: "/static/icons/icon-192.png",
    data: { url },
  });
}

/** @param {string} url */
async function open(url) {
  const same = (await pages()).find((page) => page.url.split("#")[0] === url);
  await (same ? same.focus() : worker.clients.openWindow(url));
}

worker.addEventListener("push", (/** @type {any} */ event) => event.waitUntil(show(read(event.data))));
worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  event.waitUntil(open(ours(event.notification.data?.url)));
});
