/** The session as the server sees it: asked once, and anew after signing in or out. */
import { queryOptions } from '@tanstack/react-query';
import { fetchSession, request, whenSessionEnds } from '@/api/client';
import { queryClient } from '@/api/queries';

export const SESSION_QUERY = queryOptions({
  queryKey: ['session'],
  queryFn: fetchSession,
  staleTime: Number.POSITIVE_INFINITY,
});

/** Signs in; gives whether another password has to be set first. Throws ApiError. */
export async function signIn(username: string, password: string): Promise<boolean> {
  await queryClient.ensureQueryData(SESSION_QUERY);
  const answer = await request<{ passwordChangeRequired: boolean }>('/login', {
    method: 'POST',
    json: { username, password },
  });
  queryClient.clear();
  await queryClient.fetchQuery(SESSION_QUERY);
  return answer.passwordChangeRequired;
}

/** Ends the session, and forgets all that was seen in it. */
export async function signOut(): Promise<void> {
  await request('/logout', { method: 'POST' });
  queryClient.clear();
}

/** Leads to the login when the session is over, once, and back to the same address afterwards. */
export function watchSession(toLogin: () => void): void {
  let leaving = false;
  whenSessionEnds(() => {
    if (leaving) return;
    leaving = true;
    queryClient.removeQueries({ queryKey: SESSION_QUERY.queryKey });
    toLogin();
    setTimeout(() => {
      leaving = false;
    }, 1000);
  });
}
