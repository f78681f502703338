import { Label } from '@patternfly/react-core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { del, request } from '@/api/client';
import type { Profile } from '@/api/iam';
import { IAM } from '@/api/paths';
import { refresh, useList } from '@/api/queries';
import { RouterLink } from '@/app/link';
import { notify, notifyError } from '@/app/notices';
import { useMay, useProfile } from '@/app/session';
import { Age } from '@/app/time';
import { DeleteDialog } from '@/templates/delete-dialog';
import { ListPage } from '@/templates/list-page';
import { toQuery, useListView } from '@/templates/list-state';
import type { Column, RowAction } from '@/templates/list-table';
import { AccountForm } from './account-form';

const DEFAULTS = { sort: 'createTime', descending: true };

export function AccountsPage() {
  const { t } = useTranslation();
  const may = useMay();
  const [editing, setEditing] = useState<Profile | 'new' | null>(null);
  const [deleting, setDeleting] = useState('');
  const view = useListView(DEFAULTS);
  const list = useList<Profile>(`${IAM}/users`, toQuery(view, 'keyword='));
  const actionsOf = useAccountActions(setEditing, setDeleting);
  const columns: Column<Profile>[] = [
    {
      key: 'name',
      title: t('words.name'),
      sortKey: 'username',
      width: 30,
      text: (each) => each.username,
      cell: (each) => (
        <>
          <RouterLink to={`/platform/accounts/${each.username}`}>{each.username}</RouterLink>
          <div className="ks-subtle">{each.email}</div>
        </>
      ),
    },
    { key: 'role', title: t('platform.accounts.role'), cell: (each) => each.cluster_role || t('words.none') },
    { key: 'status', title: t('words.status'), cell: (each) => <AccountStatus of={each} /> },
    {
      key: 'login',
      title: t('words.lastLogin'),
      text: (each) => each.last_login_time ?? '',
      cell: (each) => (each.last_login_time ? <Age of={each.last_login_time} /> : t('words.never')),
    },
    {
      key: 'created',
      title: t('words.created'),
      sortKey: 'createTime',
      text: (each) => each.create_time ?? '',
      cell: (each) => <Age of={each.create_time} />,
    },
  ];
  return (
    <>
      <ListPage
        id="accounts"
        title={t('platform.accounts.title')}
        about={t('platform.accounts.about')}
        view={view}
        list={list}
        columns={columns}
        rowKey={(each) => each.username}
        nameOf={(each) => each.username}
        searchHint={t('platform.accounts.search')}
        primary={
          may('accounts', 'create')
            ? { label: t('platform.accounts.create'), onClick: () => setEditing('new') }
            : undefined
        }
        actions={actionsOf}
        empty={{ title: t('platform.accounts.emptyTitle'), body: t('platform.accounts.emptyBody') }}
      />
      {editing && (
        <AccountForm account={editing === 'new' ? undefined : editing} onClose={() => setEditing(null)} />
      )}
      {deleting && (
        <DeleteDialog
          name={deleting}
          mustType
          goesAlong={[t('platform.accounts.deletesBindings')]}
          run={async () => {
            await del(`${IAM}/users/${deleting}`);
            await refresh(`${IAM}/users`);
          }}
          onClose={() => setDeleting('')}
        />
      )}
    </>
  );
}

export function AccountStatus({ of }: { of: Profile }) {
  const { t } = useTranslation();
  return of.locked ? (
    <Label color="red" isCompact>
      {t('status.locked')}
    </Label>
  ) : (
    <Label color="green" isCompact>
      {t('status.active')}
    </Label>
  );
}

/** What may be done with an account; nobody locks or deletes themselves. */
function useAccountActions(edit: (account: Profile) => void, remove: (name: string) => void) {
  const { t } = useTranslation();
  const may = useMay();
  const { username } = useProfile();
  const run = async (work: Promise<unknown>, done: string, name: string) => {
    try {
      await work;
      notify('success', done);
      await refresh(`${IAM}/users`);
    } catch (error) {
      notifyError(name, error);
    }
  };
  return (account: Profile): RowAction[] => {
    const name = account.username;
    const path = `${IAM}/users/${name}`;
    const isLocked = account.locked === true;
    const actions: RowAction[] = [];
    if (may('accounts', 'edit')) {
      actions.push({ label: t('actions.edit'), onClick: () => edit(account) });
      actions.push({
        label: t('platform.accounts.endSessions'),
        onClick: () =>
          void run(del(`${path}/sessions`), t('platform.accounts.sessionsEnded', { name }), name),
      });
    }
    if (may('accounts', 'edit') && name !== username) {
      actions.push(
        isLocked
          ? {
              label: t('platform.accounts.unlock'),
              onClick: () => void run(del(`${path}/lock`), t('platform.accounts.unlocked', { name }), name),
            }
          : {
              label: t('platform.accounts.lock'),
              description: t('platform.accounts.lockAbout'),
              onClick: () =>
                void run(
                  request(`${path}/lock`, { method: 'PUT' }),
                  t('platform.accounts.locked', { name }),
                  name,
                ),
            },
      );
    }
    if (may('accounts', 'delete') && name !== username) {
      actions.push({ label: t('actions.delete'), isDanger: true, onClick: () => remove(name) });
    }
    return actions;
  };
}
