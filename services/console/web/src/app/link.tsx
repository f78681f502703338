/** A link within the application that behaves as one of the web: it opens in a new tab, and shows where it leads. */
import { createLink } from '@tanstack/react-router';
import { type AnchorHTMLAttributes, forwardRef, type ReactNode } from 'react';

const Anchor = forwardRef<HTMLAnchorElement, AnchorHTMLAttributes<HTMLAnchorElement>>((props, ref) => (
  <a ref={ref} {...props} />
));
Anchor.displayName = 'Anchor';
const Plain = createLink(Anchor);

interface RouterLinkProps extends Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> {
  to: string;
  search?: Record<string, string>;
  children?: ReactNode;
}

export function RouterLink({ to, search, ...rest }: RouterLinkProps) {
  return <Plain {...(rest as object)} to={to as never} search={(search ?? {}) as never} activeProps={{}} />;
}
