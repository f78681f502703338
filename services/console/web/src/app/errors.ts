/** What an error means for who reads of it. */
import { ApiError } from '@/api/errors';

export type ErrorKind = 'forbidden' | 'notFound' | 'unreachable' | 'crashed' | 'title';

export function kindOf(error: unknown): ErrorKind {
  if (!(error instanceof ApiError)) return 'crashed';
  if (error.status === 403) return 'forbidden';
  if (error.status === 404) return 'notFound';
  return error.status === 0 || error.status >= 502 ? 'unreachable' : 'title';
}

/** An error in one line, with the request's identifier where there is one. */
export function problemText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof ApiError && error.requestId && error.status >= 500
    ? `${message} (${error.requestId})`
    : message;
}
