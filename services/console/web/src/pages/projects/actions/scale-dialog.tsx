import { Content } from '@patternfly/react-core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { notify } from '@/app/notices';
import { NumberField } from '@/templates/form/fields';
import { FormDialog } from '@/templates/form-dialog';
import type { ProjectKind } from '../kind';
import type { Workload } from '../objects';
import { scale } from './changes';

interface ScaleDialogProps {
  kind: ProjectKind;
  workload: Workload;
  onClose: () => void;
}

export function ScaleDialog({ kind, workload, onClose }: ScaleDialogProps) {
  const { t } = useTranslation();
  const before = workload.spec?.replicas ?? 1;
  const [replicas, setReplicas] = useState(before);
  const { name } = workload.metadata;
  const run = async () => {
    await scale(kind, workload, replicas);
    notify('success', t('project.scale.done', { name, count: replicas }));
  };
  return (
    <FormDialog
      title={t('project.scale.title', { name })}
      submit={t('project.scale.submit')}
      isValid={replicas !== before}
      run={run}
      onClose={onClose}
    >
      <NumberField
        id="scale-replicas"
        label={t('project.words.replicas')}
        value={replicas}
        onChange={setReplicas}
      />
      {replicas === 0 && before > 0 && <Content component="p">{t('project.scale.zero')}</Content>}
    </FormDialog>
  );
}
