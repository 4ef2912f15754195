// @ts-check
// Once all is shown, have the worker of this page's language, which shows a page where the network is away.
addEventListener("load", () => {
  const address = `/service-worker.js?lang=${document.documentElement.lang}`;
  navigator.serviceWorker?.register(address, { scope: "/", updateViaCache: "none" }).catch((error) => {
    console.info("Engawa: without a page for where the network is away.", error);
  });
});
