import {
  Button,
  Content,
  Form,
  FormGroup,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  NumberInput,
} from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { notify, notifyError } from '@/app/notices';
import type { ProjectKind } from '../kind';
import type { Workload } from '../objects';
import { scale } from './changes';

export function ScaleDialog({
  kind,
  workload,
  onClose,
}: {
  kind: ProjectKind;
  workload: Workload;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const before = workload.spec?.replicas ?? 1;
  const [replicas, setReplicas] = useState(before);
  const [isWorking, setWorking] = useState(false);
  const { name } = workload.metadata;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setWorking(true);
    try {
      await scale(kind, workload, replicas);
      notify('success', t('project.scale.done', { name, count: replicas }));
    } catch (error) {
      notifyError(t('project.scale.failed', { name }), error);
    }
    onClose();
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="scale-title">
      <ModalHeader title={t('project.scale.title', { name })} labelId="scale-title" />
      <ModalBody>
        <Form id="scale" onSubmit={(event) => void submit(event)}>
          <FormGroup label={t('project.words.replicas')} fieldId="scale-replicas">
            <NumberInput
              value={replicas}
              min={0}
              onMinus={() => setReplicas(Math.max(0, replicas - 1))}
              onPlus={() => setReplicas(replicas + 1)}
              onChange={(event) =>
                setReplicas(Math.max(0, Number((event.target as HTMLInputElement).value) || 0))
              }
              inputProps={{ id: 'scale-replicas' }}
              inputAriaLabel={t('project.words.replicas')}
              minusBtnAriaLabel={t('project.scale.less')}
              plusBtnAriaLabel={t('project.scale.more')}
            />
          </FormGroup>
        </Form>
        {replicas === 0 && before > 0 && <Content component="p">{t('project.scale.zero')}</Content>}
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form="scale"
          isLoading={isWorking}
          isDisabled={isWorking || replicas === before}
        >
          {t('project.scale.submit')}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
