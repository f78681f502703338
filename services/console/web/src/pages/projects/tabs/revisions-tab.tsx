/** What a workload was, revision by revision, and the way back to one. */
import { Alert, Button, Label, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { stringify } from 'yaml';
import { CLUSTER_KINDS, listObjects } from '@/api/cluster';
import { notify, notifyError } from '@/app/notices';
import { Problem } from '@/app/problem';
import { PageSkeleton } from '@/app/shell';
import { Age } from '@/app/time';
import { PlainTable } from '@/templates/plain-table';
import { DiffView } from '@/templates/yaml/diff-view';
import { rollBackDeployment, rollBackTo } from '../actions/changes';
import { type ProjectKind, selectorText } from '../kind';
import type { ControllerRevision, ReplicaSet, Workload } from '../objects';
import { type Revision, revisionsOfDeployment, revisionsOfOther } from '../revisions';

interface RevisionsTabProps {
  kind: ProjectKind;
  workload: Workload;
  mayEdit: boolean;
}

export function RevisionsTab({ kind, workload, mayEdit }: RevisionsTabProps) {
  const { t } = useTranslation();
  const [chosen, setChosen] = useState<Revision | null>(null);
  const { data, error, isPending } = useQuery({
    queryKey: [
      'revisions',
      workload.metadata.uid,
      workload.metadata.generation,
      workload.metadata.annotations,
    ],
    queryFn: () => revisions(kind, workload),
  });
  if (isPending) return <PageSkeleton />;
  if (error) return <Problem error={error} />;
  const current = data.find((each) => each.isCurrent);
  return (
    <>
      <PlainTable
        label={t('project.tabs.revisions')}
        items={data}
        rowKey={(each) => String(each.number)}
        empty={t('project.revisions.none')}
        columns={[
          {
            title: t('project.revisions.number'),
            width: 15,
            cell: (each) => (
              <>
                {each.number}{' '}
                {each.isCurrent && (
                  <Label isCompact status="success">
                    {t('project.revisions.current')}
                  </Label>
                )}
              </>
            ),
          },
          {
            title: t('project.words.images'),
            cell: (each) => <span className="ks-break">{imagesOf(each)}</span>,
          },
          { title: t('project.revisions.cause'), cell: (each) => each.cause || '–', width: 20 },
          { title: t('words.created'), cell: (each) => <Age of={each.created} />, width: 15 },
          {
            title: t('project.revisions.back'),
            width: 20,
            cell: (each) =>
              !each.isCurrent && (
                <Button
                  variant="link"
                  isInline
                  onClick={() => setChosen(each)}
                  aria-label={t('project.revisions.compareWith', { number: each.number })}
                >
                  {t('project.revisions.compare')}
                </Button>
              ),
          },
        ]}
      />
      {chosen && current && (
        <RollBackDialog
          kind={kind}
          workload={workload}
          current={current}
          chosen={chosen}
          mayEdit={mayEdit}
          onClose={() => setChosen(null)}
        />
      )}
    </>
  );
}

interface RollBackDialogProps extends RevisionsTabProps {
  current: Revision;
  chosen: Revision;
  onClose: () => void;
}

function RollBackDialog({ kind, workload, current, chosen, mayEdit, onClose }: RollBackDialogProps) {
  const { t } = useTranslation();
  const [isWorking, setWorking] = useState(false);
  const { name } = workload.metadata;
  const isPaused = workload.spec?.paused ?? false;
  const rollBack = async () => {
    setWorking(true);
    try {
      await (chosen.source.is === 'template'
        ? rollBackDeployment(kind, workload, chosen.template)
        : rollBackTo(kind, workload, chosen.source.revision));
      notify('success', t('project.revisions.done', { name, number: chosen.number }));
      onClose();
    } catch (error) {
      notifyError(t('project.revisions.failed', { name }), error);
      setWorking(false);
    }
  };
  return (
    <Modal isOpen variant="large" onClose={onClose} aria-labelledby="rollback-title">
      <ModalHeader
        title={t('project.revisions.title', { name, number: chosen.number })}
        description={t('project.revisions.body')}
        labelId="rollback-title"
      />
      <ModalBody>
        {isPaused && <Alert isInline variant="warning" title={t('project.revisions.isPaused')} />}
        <DiffView
          before={stringify(current.template)}
          after={stringify(chosen.template)}
          label={t('project.yaml.difference')}
        />
      </ModalBody>
      <ModalFooter>
        {mayEdit && (
          <Button onClick={() => void rollBack()} isLoading={isWorking} isDisabled={isWorking || isPaused}>
            {t('project.revisions.submit', { number: chosen.number })}
          </Button>
        )}
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

async function revisions(kind: ProjectKind, workload: Workload): Promise<Revision[]> {
  const namespace = workload.metadata.namespace ?? '';
  const labelSelector = selectorText(workload.spec?.selector);
  if (kind.name === 'deployments') {
    const { items } = await listObjects<ReplicaSet>(CLUSTER_KINDS.replicasets, namespace, { labelSelector });
    return revisionsOfDeployment(workload, items);
  }
  const { items } = await listObjects<ControllerRevision>(CLUSTER_KINDS.controllerrevisions, namespace, {
    labelSelector,
  });
  return revisionsOfOther(workload, items);
}

function imagesOf(revision: Revision): string {
  return revision.template.spec.containers.map((each) => each.image).join(', ');
}
