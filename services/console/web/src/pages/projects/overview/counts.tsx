/** How many there are of each kind, and how many of them are not well; each number leads to the list it counts. */
import { Card, CardBody, CardTitle } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { RESOURCES } from '@/api/paths';
import { useGet } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { PlainTable } from '@/templates/plain-table';
import { type KindName, useProject } from '../place';

const COUNTED: [KindName, string][] = [
  ['deployments', 'count/deployments.apps'],
  ['statefulsets', 'count/statefulsets.apps'],
  ['daemonsets', 'count/daemonsets.apps'],
  ['jobs', 'count/jobs.batch'],
  ['cronjobs', 'count/cronjobs.batch'],
  ['pods', 'count/pods'],
  ['services', 'count/services'],
  ['ingresses', 'count/ingresses.extensions'],
  ['persistentvolumeclaims', 'persistentvolumeclaims'],
];
const ABNORMAL: Partial<Record<KindName, string>> = {
  deployments: 'updating',
  statefulsets: 'updating',
  daemonsets: 'updating',
  jobs: 'failed',
  persistentvolumeclaims: 'pending',
};
const LOOK_AGAIN_MS = 10_000;

export function Counts({ used }: { used: Record<string, string> | undefined }) {
  const { t } = useTranslation();
  const project = useProject();
  const path = `${RESOURCES}/namespaces/${encodeURIComponent(project.namespace)}/abnormalworkloads`;
  const abnormal = useGet<{ data: Record<string, number> }>(path, { refetchInterval: LOOK_AGAIN_MS });
  return (
    <Card isFullHeight>
      <CardTitle component="h2">{t('project.overview.holds')}</CardTitle>
      <CardBody>
        <PlainTable
          label={t('project.overview.holds')}
          items={COUNTED}
          rowKey={([kind]) => kind}
          empty=""
          columns={[
            {
              title: t('words.type'),
              cell: ([kind]) => (
                <RouterLink to={project.listPath(kind)}>{t(`project.kinds.${kind}.many`)}</RouterLink>
              ),
              width: 40,
            },
            { title: t('project.overview.count'), cell: ([, key]) => used?.[key] ?? '–', width: 25 },
            {
              title: t('project.overview.abnormal'),
              cell: ([kind]) => {
                const count = abnormal.data?.data[kind];
                const status = ABNORMAL[kind];
                if (!status || count === undefined) return '–';
                if (count === 0) return 0;
                return (
                  <RouterLink to={project.listPath(kind)} search={{ status }}>
                    {count}
                  </RouterLink>
                );
              },
            },
          ]}
        />
      </CardBody>
    </Card>
  );
}
