/** What style sheets that are made at run time must carry, by the page's Content-Security-Policy. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';
}

/** The document, whose `createElement('style')` makes style sheets that the policy lets in: for the terminal. */
export function documentWithNonce(): Document {
  return new Proxy(document, {
    get(target, property) {
      if (property !== 'createElement') {
        const value: unknown = Reflect.get(target, property);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return (name: string, options?: ElementCreationOptions) => {
        const element = target.createElement(name, options);
        if (element instanceof HTMLStyleElement) element.nonce = styleNonce();
        return element;
      };
    },
  });
}
