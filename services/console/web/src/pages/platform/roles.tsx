import { Content, PageSection, Title } from '@patternfly/react-core';
import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { get, type Permission } from '@/api/client';
import type { KubeObject, Page } from '@/api/objects';
import { IAM } from '@/api/paths';
import { useList } from '@/api/queries';
import { Problem } from '@/app/problem';
import { useTitle } from '@/app/title';
import { PermissionMatrix } from '@/templates/permission-matrix';

const ALL = { conditions: { userfacing: 'true' }, limit: 100 };

/** The roles of the platform side by side. */
export function RolesPage() {
  const { t } = useTranslation();
  useTitle(t('platform.roles.title'));
  const roles = useList<KubeObject>(`${IAM}/clusterroles`, ALL);
  const path = (name: string, what: string) => `${IAM}/clusterroles/${encodeURIComponent(name)}/${what}`;
  const rules = useQueries({
    queries: roles.items.map((role) => ({
      queryKey: [path(role.metadata.name, 'rules')],
      queryFn: () => get<Permission[]>(path(role.metadata.name, 'rules')),
    })),
  });
  const holders = useQueries({
    queries: roles.items.map((role) => ({
      queryKey: [path(role.metadata.name, 'users')],
      queryFn: () => get<Page<unknown>>(`${path(role.metadata.name, 'users')}?paging=limit=1,page=1`),
    })),
  });
  return (
    <PageSection hasBodyWrapper={false} isFilled>
      <Title headingLevel="h1">{t('platform.roles.title')}</Title>
      <Content component="p">{t('platform.roles.about')}</Content>
      {roles.error ? (
        <Problem error={roles.error} retry={roles.refetch} />
      ) : (
        <PermissionMatrix
          label={t('platform.roles.matrix')}
          roles={roles.items.map((role, index) => ({
            name: role.metadata.name,
            rules: rules[index]?.data,
            heading: (
              <>
                {role.metadata.name}
                <div className="ks-subtle">
                  {holders[index]?.data
                    ? t('platform.roles.holders', { count: holders[index].data.total_count })
                    : '…'}
                </div>
              </>
            ),
          }))}
        />
      )}
    </PageSection>
  );
}
