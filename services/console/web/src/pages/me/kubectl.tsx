import { Content, Skeleton } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { get } from '@/api/client';
import type { ApiError } from '@/api/errors';
import { IAM } from '@/api/paths';
import { Problem } from '@/app/problem';
import { useProfile } from '@/app/session';
import { TerminalView } from '@/templates/terminal/terminal-view';

interface Place {
  namespace: string;
  pod: string;
  container: string;
}

const RETRY_MS = 2_000;
const MOST_TRIES = 60;

/** One's own kubectl, in a pod of the cluster that is started when it is first asked for. */
export default function Kubectl() {
  const { t } = useTranslation();
  const { username } = useProfile();
  const place = useQuery<Place, ApiError>({
    queryKey: [`${IAM}/users/${username}/kubectl`],
    queryFn: ({ signal }) => get<Place>(`${IAM}/users/${username}/kubectl`, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: (count, error) => error.status === 503 && count < MOST_TRIES,
    retryDelay: RETRY_MS,
  });
  return (
    <>
      <Content component="p">{t('me.kubectlAbout')}</Content>
      {place.error && <Problem error={place.error} retry={() => void place.refetch()} />}
      {place.isPending && (
        <>
          <p role="status">{place.failureReason?.message ?? t('me.kubectlStarting')}</p>
          <Skeleton height="20rem" />
        </>
      )}
      {place.data && <TerminalView {...place.data} />}
    </>
  );
}
