import {
  Alert,
  AlertActionLink,
  Card,
  CardBody,
  CardTitle,
  Grid,
  GridItem,
  Icon,
  Label,
  LabelGroup,
  Progress,
} from '@patternfly/react-core';
import CheckCircleIcon from '@patternfly/react-icons/dist/esm/icons/check-circle-icon';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { patch } from '@/api/client';
import { refresh, useGet } from '@/api/queries';
import { notifyError } from '@/app/notices';
import { useMay } from '@/app/session';
import { Age } from '@/app/time';
import { DetailPage } from '@/templates/detail-page';
import { Facts, Labels } from '@/templates/facts';
import { DrainDialog, drainagePath, NODES, useNodeActions } from './node-actions';
import { bytes, type Node, rolesOf, troubles } from './node-object';
import { NodeStatus } from './nodes';

interface Drainage {
  drain: { state: string; message: string; total: number; left: number; updated: string } | null;
  left: number;
  pods: { namespace: string; name: string; reason: string }[];
}

export function NodePage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { t } = useTranslation();
  const [draining, setDraining] = useState('');
  const node = useGet<Node>(`${NODES}/${name}`, { refetchInterval: 5_000 });
  const actionsOf = useNodeActions(setDraining);
  return (
    <>
      <DetailPage
        crumbs={[{ label: t('platform.nodes.title'), to: '/platform/nodes' }]}
        title={name}
        status={node.data && <NodeStatus of={node.data} />}
        actions={node.data ? actionsOf(node.data) : []}
        isLoading={node.isPending}
        error={node.error}
        retry={() => void node.refetch()}
        tabs={[
          {
            key: 'overview',
            title: t('words.overview'),
            body: () => node.data && <Overview node={node.data} />,
          },
        ]}
      />
      {draining && <DrainDialog name={draining} onClose={() => setDraining('')} />}
    </>
  );
}

function Overview({ node }: { node: Node }) {
  const { t } = useTranslation();
  const info = node.status?.nodeInfo ?? {};
  return (
    <Grid hasGutter>
      <GridItem>
        <DrainProgress name={node.metadata.name} />
      </GridItem>
      <GridItem lg={6}>
        <Facts
          title={t('platform.nodes.capacity')}
          facts={[
            [t('platform.nodes.cpu'), node.status?.capacity?.cpu],
            [t('platform.nodes.memory'), bytes(node.status?.capacity?.memory)],
            [t('platform.nodes.pods'), node.status?.capacity?.pods],
            [t('platform.nodes.roles'), rolesOf(node).join(', ')],
            [
              t('platform.nodes.addresses'),
              node.status?.addresses?.map((each) => `${each.address} (${each.type})`).join(', '),
            ],
            [t('words.created'), <Age key="age" of={node.metadata.creationTimestamp} />],
          ]}
        />
      </GridItem>
      <GridItem lg={6}>
        <Facts
          title={t('platform.nodes.system')}
          facts={[
            [t('platform.nodes.version'), info.kubeletVersion],
            [t('platform.nodes.runtime'), info.containerRuntimeVersion],
            [t('platform.nodes.system'), info.osImage],
            ['Kernel', info.kernelVersion],
            [t('words.labels'), <Labels key="labels" of={node.metadata.labels} />],
          ]}
        />
      </GridItem>
      <GridItem lg={8}>
        <Conditions node={node} />
      </GridItem>
      <GridItem lg={4}>
        <Taints node={node} />
      </GridItem>
    </Grid>
  );
}

function Conditions({ node }: { node: Node }) {
  const { t } = useTranslation();
  const wrong = new Set(troubles(node).map((each) => each.type));
  return (
    <Card isCompact isFullHeight>
      <CardTitle component="h2">{t('platform.nodes.conditions')}</CardTitle>
      <CardBody>
        <Table aria-label={t('platform.nodes.conditions')} variant="compact" borders={false}>
          <Thead>
            <Tr>
              <Th>{t('words.type')}</Th>
              <Th>{t('words.message')}</Th>
              <Th>{t('platform.nodes.since')}</Th>
            </Tr>
          </Thead>
          <Tbody>
            {(node.status?.conditions ?? []).map((each) => (
              <Tr key={each.type}>
                <Td>
                  <Icon status={wrong.has(each.type) ? 'danger' : 'success'} isInline>
                    {wrong.has(each.type) ? <ExclamationCircleIcon /> : <CheckCircleIcon />}
                  </Icon>{' '}
                  {each.type}: {each.status}
                </Td>
                <Td>{each.message}</Td>
                <Td modifier="nowrap">
                  <Age of={each.lastTransitionTime} />
                </Td>
              </Tr>
            ))}
          </Tbody>
        </Table>
      </CardBody>
    </Card>
  );
}

function Taints({ node }: { node: Node }) {
  const { t } = useTranslation();
  const taints = node.spec?.taints ?? [];
  return (
    <Card isCompact isFullHeight>
      <CardTitle component="h2">{t('platform.nodes.taints')}</CardTitle>
      <CardBody>
        {taints.length === 0 && <p className="ks-subtle">{t('platform.nodes.noTaints')}</p>}
        <LabelGroup numLabels={10}>
          {taints.map((taint) => (
            <Label key={taint.key + taint.effect} isCompact variant="outline" color="orange">
              {taint.key}
              {taint.value ? `=${taint.value}` : ''}:{taint.effect}
            </Label>
          ))}
        </LabelGroup>
      </CardBody>
    </Card>
  );
}

/** How far a drain has come: what is gone, what is waited for, and why. */
function DrainProgress({ name }: { name: string }) {
  const { t } = useTranslation();
  const may = useMay();
  const drainage = useGet<Drainage>(drainagePath(name), {
    refetchInterval: 2_000,
    enabled: may('nodes', 'edit'),
  });
  const drain = drainage.data?.drain;
  if (!drain || drain.state === 'cancelled') return null;
  const isRunning = drain.state === 'running';
  const cancel = async () => {
    try {
      await patch(`${NODES}/${name}`, { spec: { unschedulable: false } });
      await refresh(NODES, drainagePath(name));
    } catch (error) {
      notifyError(name, error);
    }
  };
  const gone = drain.total - drain.left;
  const title = isRunning
    ? t('platform.nodes.draining', { gone, total: drain.total })
    : t('platform.nodes.drainState', { state: drain.state });
  const variants: Record<string, 'info' | 'success'> = { running: 'info', succeeded: 'success' };
  return (
    <Alert
      isInline
      variant={variants[drain.state] ?? 'warning'}
      title={title}
      actionLinks={
        isRunning ? (
          <AlertActionLink onClick={() => void cancel()}>{t('platform.nodes.cancelDrain')}</AlertActionLink>
        ) : undefined
      }
    >
      {isRunning && (
        <Progress
          value={drain.total ? (gone * 100) / drain.total : 0}
          aria-label={title}
          measureLocation="none"
        />
      )}
      {drain.message && <p>{drain.message}</p>}
      {isRunning && (drainage.data?.pods.length ?? 0) > 0 && (
        <>
          <p>{t('platform.nodes.drainLeft')}</p>
          <ul>
            {drainage.data?.pods.map((pod) => (
              <li key={`${pod.namespace}/${pod.name}`}>
                {pod.namespace}/{pod.name}: {pod.reason}
              </li>
            ))}
          </ul>
        </>
      )}
    </Alert>
  );
}
