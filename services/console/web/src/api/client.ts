/** The one way to the platform: through the console's own server, which holds the token. */
import { ApiError, errorOf } from './errors';
import type { Description, SimpleRule } from './iam';

/** Who is signed in, with what they may do in the platform. */
export type Profile = Description;

/** A named permission, as the rules of the tenant API have it: `{name: 'projects', actions: ['view']}`. */
export type Permission = SimpleRule;

export interface SessionInfo {
  csrf: string;
  user: Profile | null;
  /** The browser had a session, which is over. */
  ended: boolean;
}

export interface RequestOptions {
  method?: string;
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is, with `contentType`. */
  body?: string;
  contentType?: string;
  accept?: string;
  signal?: AbortSignal;
}

let csrf = '';
let onEnded: () => void = () => {};

/** Calls `listener` when an answer says that the session is over. */
export function whenSessionEnds(listener: () => void): void {
  onEnded = listener;
}

/** Who is signed in; also renews what requests that change something carry. */
export async function fetchSession(): Promise<SessionInfo> {
  const answer = await send('/session', {});
  if (!answer.ok) throw await errorOf(answer);
  const session = (await answer.json()) as SessionInfo;
  csrf = session.csrf;
  return session;
}

/** The decoded answer. Throws ApiError. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const answer = await raw(path, options);
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** The text of the answer. Throws ApiError. */
export async function requestText(path: string, options: RequestOptions = {}): Promise<string> {
  return (await raw(path, { accept: '*/*', ...options })).text();
}

/** The answer itself, for what is read as it comes. Throws ApiError unless it is a success. */
export async function raw(path: string, options: RequestOptions = {}): Promise<Response> {
  let answer = await send(path, options);
  if (answer.status === 403) {
    const error = await errorOf(answer.clone());
    if (error.reason === 'ForeignRequest') {
      await fetchSession();
      answer = await send(path, options);
    }
  }
  if (answer.ok) return answer;
  const error = await errorOf(answer);
  if (error.status === 401 && path !== '/login') onEnded();
  throw error;
}

async function send(path: string, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: options.accept ?? 'application/json' };
  const method = options.method ?? 'GET';
  const body = options.json === undefined ? options.body : JSON.stringify(options.json);
  if (body !== undefined) headers['Content-Type'] = options.contentType ?? 'application/json';
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf;
  try {
    return await fetch(path, { method, headers, body, signal: options.signal, credentials: 'same-origin' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'The console does not answer. Is the network there?');
  }
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>(path, { signal });
export const post = <T>(path: string, json: unknown) => request<T>(path, { method: 'POST', json });
export const put = <T>(path: string, json: unknown) => request<T>(path, { method: 'PUT', json });
export const del = <T>(path: string, json?: unknown) => request<T>(path, { method: 'DELETE', json });
/** A patch of Kubernetes: a merge patch unless `contentType` says otherwise. */
export const patch = <T>(path: string, json: unknown, contentType = 'application/merge-patch+json') =>
  request<T>(path, { method: 'PATCH', json, contentType });
