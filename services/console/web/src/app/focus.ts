/** Where the keyboard goes on after another page was shown. */
import { router } from './router';

/**
 * When what had the focus went with its page, Tab begins at the top of the next one. Left alone, a browser goes on from
 * the place in the document where it was, which may be in the middle of the navigation.
 */
export function beginAtTheTop(): void {
  document.body.tabIndex = -1;
  router.subscribe('onRendered', ({ pathChanged }) => {
    if (pathChanged && document.activeElement === document.body) {
      document.body.focus({ preventScroll: true });
    }
  });
}
