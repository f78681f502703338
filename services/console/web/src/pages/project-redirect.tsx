import { Skeleton } from '@patternfly/react-core';
import { Navigate, useLocation, useParams } from '@tanstack/react-router';
import { type KubeObject, WORKSPACE_LABEL } from '@/api/objects';
import { TENANT } from '@/api/paths';
import { useList } from '@/api/queries';
import { NotFound, Problem } from '@/app/problem';

/** `/projects/:ns/...` is the same below the project's workspace, which whoever links there may not know. */
export function ProjectRedirect() {
  const { ns } = useParams({ strict: false }) as { ns: string };
  const { pathname, searchStr } = useLocation();
  const found = useList<KubeObject>(`${TENANT}/namespaces`, { conditions: { 'name=': ns }, limit: 1 });
  if (found.error) return <Problem error={found.error} retry={found.refetch} />;
  if (found.isLoading) return <Skeleton height="12rem" />;
  const workspace = found.items[0]?.metadata.labels?.[WORKSPACE_LABEL];
  if (!workspace) return <NotFound />;
  return <Navigate href={`/workspaces/${workspace}${pathname}${searchStr}`} to="." replace />;
}
