/** What style sheets that are made at run time must carry, by the page's Content-Security-Policy. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';
}

let areStamped = false;

/** Has every style sheet that a script makes let in from now on: the terminal makes some that it cannot be told of. */
export function stampStyles(): void {
  if (areStamped) return;
  areStamped = true;
  const create = document.createElement.bind(document);
  document.createElement = (name: string, options?: ElementCreationOptions) => {
    const element = create(name, options);
    if (element instanceof HTMLStyleElement) element.nonce = styleNonce();
    return element;
  };
}
