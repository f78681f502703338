import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { post, put } from '@/api/client';
import type { Profile } from '@/api/iam';
import type { KubeObject } from '@/api/objects';
import { IAM } from '@/api/paths';
import { refresh, useList } from '@/api/queries';
import { notify } from '@/app/notices';
import { Choice, Field } from '@/templates/field';
import { FormDialog } from '@/templates/form-dialog';
import { isName } from '@/templates/names';

const EMAIL = /^[^@\s]+@[^@\s]+$/;

/** Makes an account, or changes one. */
export function AccountForm({ account, onClose }: { account?: Profile; onClose: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState(account?.username ?? '');
  const [email, setEmail] = useState(account?.email ?? '');
  const [role, setRole] = useState(account ? (account.cluster_role ?? '') : 'cluster-regular');
  const [description, setDescription] = useState(account?.description ?? '');
  const [password, setPassword] = useState('');
  const roles = useList<KubeObject>(`${IAM}/clusterroles`, {
    conditions: { userfacing: 'true' },
    limit: 100,
  });
  const isEmail = EMAIL.test(email);
  const run = async () => {
    const given = { username: name, email, cluster_role: role, description, password };
    if (account) await put(`${IAM}/users/${name}`, given);
    else await post(`${IAM}/users`, given);
    notify('success', t(account ? 'notices.saved' : 'notices.created', { name }));
    await refresh(`${IAM}/users`);
  };
  return (
    <FormDialog
      title={account ? t('platform.accounts.edit') : t('platform.accounts.create')}
      submit={account ? t('actions.save') : t('actions.create')}
      isValid={isName(name.replaceAll('.', '')) && isEmail && (account !== undefined || password !== '')}
      run={run}
      onClose={onClose}
    >
      <Field
        id="account-name"
        label={t('words.name')}
        value={name}
        onChange={setName}
        hint={account ? undefined : t('platform.workspaces.nameHint')}
        problem={isName(name.replaceAll('.', '')) ? '' : t('platform.workspaces.nameBad')}
        isRequired
        isDisabled={account !== undefined}
        autoFocus
      />
      <Field
        id="account-email"
        label={t('words.email')}
        type="email"
        value={email}
        onChange={setEmail}
        problem={isEmail ? '' : t('platform.accounts.emailBad')}
        isRequired
      />
      <Choice
        id="account-role"
        label={t('platform.accounts.role')}
        value={role}
        onChange={setRole}
        options={[
          ...(account?.cluster_role ? [] : [{ value: '', label: t('words.none') }]),
          ...roles.items.map((each) => ({ value: each.metadata.name, label: each.metadata.name })),
        ]}
        hint={
          roles.items.find((each) => each.metadata.name === role)?.metadata.annotations?.[
            'kubesphere.io/description'
          ]
        }
      />
      <Field
        id="account-password"
        label={account ? t('platform.accounts.newPassword') : t('words.password')}
        type="password"
        value={password}
        onChange={setPassword}
        hint={account ? t('platform.accounts.keepPassword') : t('platform.accounts.passwordRule')}
        isRequired={!account}
      />
      <Field
        id="account-description"
        label={t('words.description')}
        value={description}
        onChange={setDescription}
        isLong
      />
    </FormDialog>
  );
}
