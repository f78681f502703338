/**
 * Parts of the application that could not be had: the network changed, or another version is served by now. The page
 * is loaded anew, which gets all that it needs; when that was just tried, the page says that it has a fault.
 */
const KEY = 'ks.loadedAnew';
const PATIENCE_MS = 10_000;

export function watchForMissingParts(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const before = Number(sessionStorage.getItem(KEY) ?? 0);
    if (Date.now() - before < PATIENCE_MS) return;
    event.preventDefault();
    sessionStorage.setItem(KEY, String(Date.now()));
    window.location.reload();
  });
}
