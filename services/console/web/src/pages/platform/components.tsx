import {
  Card,
  CardBody,
  CardTitle,
  Content,
  EmptyState,
  EmptyStateBody,
  Gallery,
  Icon,
  Label,
  LabelGroup,
  PageSection,
  Skeleton,
  Title,
} from '@patternfly/react-core';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import ExclamationTriangleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-triangle-icon';
import { useTranslation } from 'react-i18next';
import { RESOURCES } from '@/api/paths';
import { useGet } from '@/api/queries';
import { Problem } from '@/app/problem';
import { useConfig } from '@/app/session';
import { useTitle } from '@/app/title';

interface Health {
  kubesphereStatus: { name: string; namespace: string; totalBackends: number; healthyBackends: number }[];
  nodeStatus: { totalNodes: number; healthyNodes: number };
}

export function ComponentsPage() {
  const { t } = useTranslation();
  useTitle(t('platform.components.title'));
  const health = useGet<Health>(`${RESOURCES}/componenthealth`, { refetchInterval: 10_000 });
  return (
    <PageSection hasBodyWrapper={false} isFilled>
      <Title headingLevel="h1">{t('platform.components.title')}</Title>
      <Content component="p">{t('platform.components.about')}</Content>
      <Features />
      {health.error && <Problem error={health.error} retry={() => void health.refetch()} />}
      {health.isPending && <Skeleton height="10rem" />}
      {health.data && <Services health={health.data} />}
    </PageSection>
  );
}

function Features() {
  const { t } = useTranslation();
  const { components } = useConfig();
  return (
    <>
      <Content component="h2">{t('platform.components.features')}</Content>
      <LabelGroup numLabels={20}>
        {Object.entries(components)
          .sort(([, one], [, other]) => Number(other) - Number(one))
          .map(([name, isEnabled]) => (
            <Label key={name} color={isEnabled ? 'green' : 'grey'} isCompact>
              {name}: {isEnabled ? t('platform.components.enabled') : t('platform.components.disabled')}
            </Label>
          ))}
      </LabelGroup>
    </>
  );
}

function Services({ health }: { health: Health }) {
  const { t } = useTranslation();
  const nodes = { healthy: health.nodeStatus.healthyNodes, total: health.nodeStatus.totalNodes };
  const services = [...health.kubesphereStatus].sort((one, other) => missing(other) - missing(one));
  return (
    <>
      <Content>
        <h2>{t('platform.components.services')}</h2>
        <p>{t('platform.components.nodes', nodes)}</p>
      </Content>
      {services.length === 0 && (
        <EmptyState variant="sm" titleText={t('platform.components.emptyTitle')} headingLevel="h3">
          <EmptyStateBody>{t('platform.components.emptyBody')}</EmptyStateBody>
        </EmptyState>
      )}
      <Gallery hasGutter>
        {services.map((service) => (
          <Card key={`${service.namespace}/${service.name}`} isCompact>
            <CardTitle component="h3">
              <Icon status={missing(service) > 0 ? 'warning' : 'success'} isInline>
                {missing(service) > 0 ? <ExclamationTriangleIcon /> : <CheckCircleIcon />}
              </Icon>{' '}
              {service.name}
            </CardTitle>
            <CardBody>
              {t('platform.components.healthy', {
                healthy: service.healthyBackends,
                total: service.totalBackends,
              })}
              <div className="ks-subtle">{service.namespace}</div>
            </CardBody>
          </Card>
        ))}
      </Gallery>
    </>
  );
}

function missing(service: { totalBackends: number; healthyBackends: number }): number {
  return service.totalBackends - service.healthyBackends;
}
