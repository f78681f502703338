/** The objects of a kind in a project. */
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useLiveList } from '@/api/live-queries';
import type { KubeObject } from '@/api/objects';
import { NotFound } from '@/app/problem';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import { useObjectActions } from './actions/use-actions';
import type { ProjectKind } from './kind';
import { KINDS } from './kinds';
import { Liveness } from './liveness';
import { kindAt, useProject } from './place';
import { useKindRights } from './rights';
import { RefusalNotice } from './why/refusal';

export function ObjectsPage() {
  const at = kindAt(useLocation().pathname);
  return at ? <Objects key={at.kind} kind={KINDS[at.kind]} /> : <NotFound />;
}

function Objects({ kind }: { kind: ProjectKind }) {
  const { t } = useTranslation();
  const project = useProject();
  const navigate = useNavigate();
  const defaults = useMemo(
    () => ({
      filters: [...(kind.statuses ? ['status'] : []), ...(kind.canBeAbnormal ? ['abnormal'] : []), 'label~'],
      sort: 'createTime',
      descending: true,
    }),
    [kind.statuses, kind.canBeAbnormal],
  );
  const view = useListView(defaults);
  const list = useLiveList<KubeObject>(kind.name, project.namespace, toQuery(view));
  const rights = useKindRights(kind);
  const actions = useObjectActions(kind, rights);
  const title = t(`project.kinds.${kind.name}.many`);
  const restartable = kind.actions.includes('restart') && rights.may('edit');
  const bulk = [
    ...(restartable ? [{ label: t('project.actions.restart'), run: actions.restartAll }] : []),
    ...(rights.may('delete') ? [{ label: t('actions.delete'), isDanger: true, run: actions.remove }] : []),
  ];
  return (
    <>
      <ListPage
        id={`project.${kind.name}`}
        title={title}
        about={t(`project.kinds.${kind.name}.about`)}
        view={view}
        list={list}
        columns={kind.columns(t, project)}
        rowKey={(each) => each.metadata.uid ?? each.metadata.name}
        nameOf={(each) => each.metadata.name}
        filters={[
          ...(kind.statuses
            ? [
                {
                  key: 'status',
                  label: t('words.status'),
                  options: kind.statuses.map((value) => ({ value, label: t(`project.status.${value}`) })),
                },
              ]
            : []),
          ...(kind.canBeAbnormal
            ? [
                {
                  key: 'abnormal',
                  label: t('words.status'),
                  options: [{ value: 'true', label: t('project.overview.abnormal') }],
                },
              ]
            : []),
          { key: 'label~', label: t('words.label') },
        ]}
        primary={
          kind.creatable && rights.may('create')
            ? {
                label: t(`project.kinds.${kind.name}.create`),
                onClick: () => void navigate({ to: project.createPath(kind.name) }),
              }
            : undefined
        }
        actions={actions.of}
        bulk={bulk.length > 0 ? bulk : undefined}
        empty={{
          title: t(`project.kinds.${kind.name}.empty`),
          body: t(`project.kinds.${kind.name}.about`),
        }}
        notice={
          <>
            <RefusalNotice denied={rights.denied} />
            <Liveness state={list.live} heardAt={list.updatedAt} />
          </>
        }
      />
      {actions.dialogs}
    </>
  );
}
