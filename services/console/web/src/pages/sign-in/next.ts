/** `next` where it is an address of this application, and the first page otherwise: no link leads elsewhere. */
export function safeNext(next: string): string {
  return /^\/(?![/\\])/.test(next) && !next.startsWith('/login') ? next : '/';
}
