import { Alert, Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { patch, request } from '@/api/client';
import { OPERATIONS } from '@/api/paths';
import { refresh } from '@/api/queries';
import { notify, notifyError } from '@/app/notices';
import { useMay } from '@/app/session';
import type { RowAction } from '@/templates/list-table';
import { useSubmission } from '@/templates/submission';
import type { Node } from './node-object';

export const NODES = '/api/v1/nodes';
export const drainagePath = (name: string) => `${OPERATIONS}/nodes/${encodeURIComponent(name)}/drainage`;

/** Has new pods come, or not. Ending a cordon cancels a drain, too. */
async function schedule(name: string, unschedulable: boolean): Promise<void> {
  await patch(`${NODES}/${encodeURIComponent(name)}`, { spec: { unschedulable } });
  await refresh(NODES, '/kapis/resources.kubesphere.io/v1alpha2/nodes', drainagePath(name));
}

/** What may be done with a node, given who asks. */
export function useNodeActions(drain: (name: string) => void) {
  const { t } = useTranslation();
  const may = useMay();
  const change = async (node: Node, unschedulable: boolean) => {
    const name = node.metadata.name;
    try {
      await schedule(name, unschedulable);
      notify(
        'success',
        `${name}: ${t(unschedulable ? 'platform.nodes.cordoned' : 'platform.nodes.schedulable')}`,
      );
    } catch (error) {
      notifyError(name, error);
    }
  };
  return (node: Node): RowAction[] => {
    if (!may('nodes', 'edit')) return [];
    const isCordoned = node.spec?.unschedulable === true;
    return [
      isCordoned
        ? {
            label: t('platform.nodes.uncordon'),
            description: t('platform.nodes.uncordonAbout'),
            onClick: () => void change(node, false),
          }
        : {
            label: t('platform.nodes.cordon'),
            description: t('platform.nodes.cordonAbout'),
            onClick: () => void change(node, true),
          },
      {
        label: t('platform.nodes.drain'),
        description: t('platform.nodes.drainAbout'),
        isDanger: true,
        onClick: () => drain(node.metadata.name),
      },
    ];
  };
}

/** Asks once more before a node is drained. */
export function DrainDialog({ name, onClose }: { name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const run = async () => {
    await request(drainagePath(name), { method: 'POST' });
    await refresh(NODES, drainagePath(name));
  };
  const { error, isWorking, send } = useSubmission(run, onClose);
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="drain-title">
      <ModalHeader
        title={t('platform.nodes.drainTitle', { name })}
        titleIconVariant="warning"
        labelId="drain-title"
      />
      <ModalBody>
        {error && <Alert isInline variant="danger" title={error} />}
        {t('platform.nodes.drainBody')}
      </ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={() => void send()} isLoading={isWorking} isDisabled={isWorking}>
          {t('platform.nodes.drain')}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
