/** The pods of a workload, behind a service, or that mount a volume. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useLiveList } from '@/api/live-queries';
import type { KubeObject } from '@/api/objects';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import { useObjectActions } from '../actions/use-actions';
import type { ProjectKind } from '../kind';
import { KINDS } from '../kinds';
import { useProject } from '../place';
import { useKindRights } from '../rights';

const DEFAULTS = { sort: 'createTime', descending: true };

export function PodsTab({ kind, object }: { kind: ProjectKind; object: KubeObject }) {
  const { t } = useTranslation();
  const project = useProject();
  const view = useListView(DEFAULTS);
  const of = useMemo(() => conditionsFor(kind, object.metadata.name), [kind, object.metadata.name]);
  const query = toQuery(view);
  const list = useLiveList<KubeObject>('pods', project.namespace, {
    ...query,
    conditions: { ...query.conditions, ...of },
  });
  const pods = KINDS.pods;
  const rights = useKindRights(pods);
  const actions = useObjectActions(pods, rights);
  return (
    <>
      <ListPage
        id="project.pods-of"
        embedded
        title={t('project.kinds.pods.many')}
        view={view}
        list={list}
        columns={pods.columns(t, project)}
        rowKey={(each) => each.metadata.uid ?? each.metadata.name}
        nameOf={(each) => each.metadata.name}
        actions={actions.of}
        bulk={
          rights.may('delete')
            ? [{ label: t('actions.delete'), isDanger: true, run: actions.remove }]
            : undefined
        }
        empty={{ title: t('project.pods.none'), body: t('project.pods.noneBody') }}
      />
      {actions.dialogs}
    </>
  );
}

function conditionsFor(kind: ProjectKind, name: string): Record<string, string> {
  if (kind.name === 'services') return { serviceName: name };
  if (kind.name === 'persistentvolumeclaims') return { pvcName: name };
  return { ownerKind: kind.ref.kind, ownerName: name };
}
