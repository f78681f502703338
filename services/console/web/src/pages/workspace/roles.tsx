import { Content, PageSection, Title } from '@patternfly/react-core';
import { useQueries } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { get, type Permission } from '@/api/client';
import type { KubeObject } from '@/api/objects';
import { IAM } from '@/api/paths';
import { useGet } from '@/api/queries';
import { Problem } from '@/app/problem';
import { useTitle } from '@/app/title';
import { PermissionMatrix } from '@/templates/permission-matrix';
import { useRoleNames } from './role-names';

export function WorkspaceRoles() {
  const { ws } = useParams({ strict: false }) as { ws: string };
  const { t } = useTranslation();
  useTitle(`${t('words.roles')} · ${ws}`);
  const names = useRoleNames();
  const path = `${IAM}/workspaces/${ws}/roles`;
  const roles = useGet<KubeObject[] | { items: KubeObject[] }>(path);
  const found = Array.isArray(roles.data) ? roles.data : (roles.data?.items ?? []);
  const rules = useQueries({
    queries: found.map((role) => ({
      queryKey: [`${path}/${role.metadata.name}/rules`],
      queryFn: () => get<Permission[]>(`${path}/${role.metadata.name}/rules`),
    })),
  });
  return (
    <PageSection hasBodyWrapper={false} isFilled>
      <Title headingLevel="h1">{t('words.roles')}</Title>
      <Content component="p">{t('workspace.roles.title')}</Content>
      {roles.error ? (
        <Problem error={roles.error} retry={() => void roles.refetch()} />
      ) : (
        <PermissionMatrix
          label={t('workspace.roles.title')}
          roles={found.map((role, index) => ({
            name: role.metadata.name,
            heading: names.label(role.metadata.name),
            rules: rules[index]?.data,
          }))}
        />
      )}
    </PageSection>
  );
}
