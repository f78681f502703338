import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { post } from '@/api/client';
import { TENANT, WORKSPACES } from '@/api/paths';
import { refresh } from '@/api/queries';
import { notify } from '@/app/notices';
import { useProfile } from '@/app/session';
import { Field } from '@/templates/field';
import { FormDialog } from '@/templates/form-dialog';
import { isName } from '@/templates/names';
import { metadataOf, NamingFields, useNaming } from '@/templates/naming';

/** Makes a workspace that its maker manages, and goes there. */
export function CreateWorkspace({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { username } = useProfile();
  const navigate = useNavigate();
  const [naming, setNaming] = useNaming();
  const { name } = naming;
  const [manager, setManager] = useState(username);
  const run = async () => {
    await post(WORKSPACES, {
      apiVersion: 'tenant.kubesphere.io/v1alpha1',
      kind: 'Workspace',
      metadata: metadataOf(naming),
      spec: { manager },
    });
    notify('success', t('notices.created', { name }));
    await refresh(`${TENANT}/workspaces`);
    await navigate({ to: `/workspaces/${name}` });
  };
  return (
    <FormDialog
      title={t('platform.workspaces.create')}
      about={t('platform.workspaces.about')}
      submit={t('actions.create')}
      isValid={isName(name) && manager !== ''}
      run={run}
      onClose={onClose}
    >
      <NamingFields id="workspace" naming={naming} onChange={setNaming} />
      <Field
        id="workspace-manager"
        label={t('words.manager')}
        value={manager}
        onChange={setManager}
        isRequired
      />
    </FormDialog>
  );
}
