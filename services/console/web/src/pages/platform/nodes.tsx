import { Label, LabelGroup } from '@patternfly/react-core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLiveList } from '@/api/live-queries';
import { RouterLink } from '@/app/link';
import { createdColumn } from '@/templates/columns';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import type { Column } from '@/templates/list-table';
import { DrainDialog, useNodeActions } from './node-actions';
import { bytes, isReady, type Node, rolesOf, troubles } from './node-object';

const DEFAULTS = { sort: 'name' };

export function NodesPage() {
  const { t } = useTranslation();
  const [draining, setDraining] = useState('');
  const view = useListView(DEFAULTS);
  const list = useLiveList<Node>('nodes', '', toQuery(view));
  const actionsOf = useNodeActions(setDraining);
  const columns: Column<Node>[] = [
    {
      key: 'name',
      title: t('words.name'),
      sortKey: 'name',
      width: 25,
      text: (each) => each.metadata.name,
      cell: (each) => (
        <>
          <RouterLink to={`/platform/nodes/${each.metadata.name}`}>{each.metadata.name}</RouterLink>
          <div className="ks-subtle">
            {each.status?.addresses?.find((address) => address.type === 'InternalIP')?.address}
          </div>
        </>
      ),
    },
    { key: 'status', title: t('words.status'), cell: (each) => <NodeStatus of={each} /> },
    { key: 'roles', title: t('platform.nodes.roles'), cell: (each) => rolesOf(each).join(', ') || '–' },
    { key: 'cpu', title: t('platform.nodes.cpu'), cell: (each) => each.status?.capacity?.cpu ?? '–' },
    {
      key: 'memory',
      title: t('platform.nodes.memory'),
      cell: (each) => bytes(each.status?.capacity?.memory),
    },
    {
      key: 'pods',
      title: t('platform.nodes.pods'),
      isHidden: true,
      cell: (each) => each.status?.capacity?.pods ?? '–',
    },
    {
      key: 'version',
      title: t('platform.nodes.version'),
      cell: (each) => each.status?.nodeInfo?.kubeletVersion ?? '–',
    },
    { ...createdColumn(t), title: t('words.age') },
  ];
  return (
    <>
      <ListPage
        id="nodes"
        title={t('platform.nodes.title')}
        about={t('platform.nodes.about')}
        view={view}
        list={list}
        columns={columns}
        rowKey={(each) => each.metadata.uid ?? each.metadata.name}
        nameOf={(each) => each.metadata.name}
        actions={actionsOf}
        empty={{ title: t('platform.nodes.emptyTitle'), body: t('platform.nodes.emptyBody') }}
      />
      {draining && <DrainDialog name={draining} onClose={() => setDraining('')} />}
    </>
  );
}

/** Whether a node is ready and takes pods, with what is wrong in words. */
export function NodeStatus({ of }: { of: Node }) {
  const { t } = useTranslation();
  const wrong = troubles(of).filter((each) => each.type !== 'Ready');
  return (
    <LabelGroup>
      <Label isCompact color={isReady(of) ? 'green' : 'red'}>
        {isReady(of) ? t('status.ready') : t('status.notReady')}
      </Label>
      {of.spec?.unschedulable && (
        <Label isCompact color="orange">
          {t('platform.nodes.cordoned')}
        </Label>
      )}
      {wrong.map((each) => (
        <Label key={each.type} isCompact color="red">
          {each.type}
        </Label>
      ))}
    </LabelGroup>
  );
}
