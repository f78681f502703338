/** The actions of a kind, as what menus offer of them and the dialogs they open. */
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { KubeObject } from '@/api/objects';
import { notify, notifyError } from '@/app/notices';
import type { RowAction } from '@/templates/list-table';
import type { ActionName, ProjectKind } from '../kind';
import type { CronJob, Workload } from '../objects';
import { useProject } from '../place';
import type { KindRights } from '../rights';
import { rerun, restart, setPaused, setSuspended } from './changes';
import { RemoveDialog } from './remove-dialog';
import { ScaleDialog } from './scale-dialog';

export interface ObjectActions {
  of: (object: KubeObject) => RowAction[];
  /** Asks whether these are to go, and has them go. */
  remove: (objects: KubeObject[]) => void;
  restartAll: (objects: KubeObject[]) => void;
  dialogs: ReactNode;
}

type Open = { is: 'scale'; workload: Workload } | { is: 'remove'; objects: KubeObject[] } | null;

export function useObjectActions(
  kind: ProjectKind,
  rights: KindRights,
  onRemoved?: () => void,
): ObjectActions {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const project = useProject();
  const [open, setOpen] = useState<Open>(null);
  const doing = async (object: KubeObject, done: string, work: () => Promise<unknown>) => {
    const { name } = object.metadata;
    try {
      await work();
      notify('success', `${name}: ${done}`);
    } catch (error) {
      notifyError(t('project.actions.failed', { name }), error);
    }
  };
  const offered: Record<ActionName, (object: KubeObject) => RowAction | null> = {
    scale: (object) =>
      rights.may('scale')
        ? {
            label: t('project.actions.scale'),
            onClick: () => setOpen({ is: 'scale', workload: object as Workload }),
          }
        : null,
    restart: (object) => ({
      label: t('project.actions.restart'),
      onClick: () => void doing(object, t('project.actions.restarted'), () => restart(kind, object)),
    }),
    pause: (object) => {
      const paused = (object as Workload).spec?.paused ?? false;
      const done = t(paused ? 'project.actions.resumed' : 'project.actions.paused');
      return {
        label: t(paused ? 'project.actions.resume' : 'project.actions.pause'),
        onClick: () => void doing(object, done, () => setPaused(kind, object, !paused)),
      };
    },
    suspend: (object) => {
      const suspended = (object as CronJob).spec?.suspend ?? false;
      const done = t(suspended ? 'project.actions.resumed' : 'project.actions.suspended');
      return {
        label: t(suspended ? 'project.actions.resumeJob' : 'project.actions.suspend'),
        onClick: () => void doing(object, done, () => setSuspended(kind, object, !suspended)),
      };
    },
    rerun: (object) => ({
      label: t('project.actions.rerun'),
      description: t('project.actions.rerunBody'),
      onClick: () => void doing(object, t('project.actions.rerunDone'), () => rerun(object)),
    }),
  };
  const of = (object: KubeObject): RowAction[] => {
    const mayEdit = rights.may('edit');
    const own = kind.actions
      .filter((each) => mayEdit || each === 'scale')
      .map((each) => offered[each](object))
      .filter((each) => each !== null);
    const { name } = object.metadata;
    const toYaml = () =>
      navigate({ to: project.objectPath(kind.name, name), search: { tab: 'yaml' } } as never);
    const edit = mayEdit ? [{ label: t('project.actions.editYaml'), onClick: () => void toYaml() }] : [];
    const remove = rights.may('delete')
      ? [
          {
            label: t('actions.delete'),
            isDanger: true,
            onClick: () => setOpen({ is: 'remove', objects: [object] }),
          },
        ]
      : [];
    return [...own, ...edit, ...remove];
  };
  return {
    of,
    remove: (objects) => setOpen({ is: 'remove', objects }),
    restartAll: (objects) => {
      for (const each of objects) void doing(each, t('project.actions.restarted'), () => restart(kind, each));
    },
    dialogs: (
      <>
        {open?.is === 'scale' && (
          <ScaleDialog kind={kind} workload={open.workload} onClose={() => setOpen(null)} />
        )}
        {open?.is === 'remove' && (
          <RemoveDialog
            kind={kind}
            objects={open.objects}
            onClose={() => setOpen(null)}
            onRemoved={onRemoved}
          />
        )}
      </>
    ),
  };
}
