/** What objects of Kubernetes may be called. */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Whether an object may have this name (RFC 1123 label). */
export function isName(name: string): boolean {
  return name.length <= 63 && NAME.test(name);
}
