import { Alert, ClipboardCopy, Content, Modal, ModalBody, ModalHeader } from '@patternfly/react-core';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { del, post } from '@/api/client';
import type { TokenRecord } from '@/api/iam';
import { IAM } from '@/api/paths';
import { refresh, useList } from '@/api/queries';
import { useProfile } from '@/app/session';
import { Age } from '@/app/time';
import { DeleteDialog } from '@/templates/delete-dialog';
import { Choice, Field } from '@/templates/field';
import { FormDialog } from '@/templates/form-dialog';
import { ListPage } from '@/templates/list-page';
import { useListView } from '@/templates/list-state';
import type { Column } from '@/templates/list-table';

const READING = ['get', 'list', 'watch'];
const DAYS = [7, 30, 90, 365];
const DEFAULTS = {};

export function Tokens() {
  const { t } = useTranslation();
  const { username } = useProfile();
  const path = `${IAM}/users/${username}/apitokens`;
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState('');
  const [revoking, setRevoking] = useState<TokenRecord | null>(null);
  const view = useListView(DEFAULTS);
  const all = useList<TokenRecord>(path, {});
  const items = useMemo(
    () => all.items.filter((each) => each.name.includes(view.search)),
    [all.items, view.search],
  );
  const columns: Column<TokenRecord>[] = [
    { key: 'name', title: t('words.name'), cell: (each) => each.name },
    {
      key: 'verbs',
      title: t('me.verbs'),
      cell: (each) => (each.verbs.includes('*') ? t('me.everything') : each.verbs.join(', ')),
    },
    { key: 'workspaces', title: t('me.workspaces'), cell: (each) => each.workspaces.join(', ') },
    { key: 'expires', title: t('me.expires'), cell: (each) => <Age of={each.expire_time} /> },
    {
      key: 'used',
      title: t('me.lastUsed'),
      cell: (each) => (each.last_used_time ? <Age of={each.last_used_time} /> : t('words.never')),
    },
  ];
  return (
    <>
      <Content component="p">{t('me.tokensAbout')}</Content>
      <ListPage
        id="tokens"
        embedded
        title={t('me.tokens')}
        view={view}
        list={{ ...all, items, total: items.length }}
        columns={columns}
        rowKey={(each) => each.id}
        nameOf={(each) => each.name}
        primary={{ label: t('me.createToken'), onClick: () => setCreating(true) }}
        actions={(each) => [{ label: t('me.revoke'), isDanger: true, onClick: () => setRevoking(each) }]}
        empty={{ title: t('me.noTokens'), body: t('me.noTokensBody') }}
      />
      {creating && <CreateToken path={path} onMade={setMade} onClose={() => setCreating(false)} />}
      {made && <NewToken token={made} onClose={() => setMade('')} />}
      {revoking && (
        <DeleteDialog
          name={revoking.name}
          run={async () => {
            await del(`${path}/${revoking.id}`);
            await refresh(path);
          }}
          onClose={() => setRevoking(null)}
        />
      )}
    </>
  );
}

interface CreateTokenProps {
  path: string;
  onMade: (token: string) => void;
  onClose: () => void;
}

function CreateToken({ path, onMade, onClose }: CreateTokenProps) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [scope, setScope] = useState('read');
  const [workspaces, setWorkspaces] = useState('*');
  const [days, setDays] = useState('30');
  const run = async () => {
    const answer = await post<{ token: string }>(path, {
      name,
      verbs: scope === 'read' ? READING : ['*'],
      workspaces: workspaces
        .split(',')
        .map((each) => each.trim())
        .filter(Boolean),
      lifetime: `${Number(days) * 24}h`,
    });
    await refresh(path);
    onMade(answer.token);
  };
  return (
    <FormDialog
      title={t('me.createToken')}
      about={t('me.tokensAbout')}
      submit={t('actions.create')}
      isValid={name !== '' && workspaces.trim() !== ''}
      run={run}
      onClose={onClose}
    >
      <Field id="token-name" label={t('words.name')} value={name} onChange={setName} isRequired autoFocus />
      <Choice
        id="token-verbs"
        label={t('me.verbs')}
        value={scope}
        onChange={setScope}
        options={[
          { value: 'read', label: t('me.readOnly') },
          { value: 'all', label: t('me.everything') },
        ]}
      />
      <Field
        id="token-workspaces"
        label={t('me.workspaces')}
        value={workspaces}
        onChange={setWorkspaces}
        hint={t('me.workspacesHint')}
        isRequired
      />
      <Choice
        id="token-days"
        label={t('me.lifetime')}
        value={days}
        onChange={setDays}
        options={DAYS.map((count) => ({ value: String(count), label: t('me.days', { count }) }))}
      />
    </FormDialog>
  );
}

function NewToken({ token, onClose }: { token: string; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="token-title">
      <ModalHeader title={t('me.tokenTitle')} labelId="token-title" />
      <ModalBody>
        <Alert isInline variant="warning" title={t('me.tokenOnce')} />
        <ClipboardCopy
          isReadOnly
          hoverTip={t('actions.copy')}
          clickTip={t('actions.copied')}
          textAriaLabel={t('me.tokenTitle')}
        >
          {token}
        </ClipboardCopy>
      </ModalBody>
    </Modal>
  );
}
