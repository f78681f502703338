import { Card, CardBody, CardTitle, Grid, GridItem, Label, LabelGroup } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Permission } from '@/api/client';
import type { Description, LoginRecord } from '@/api/iam';
import { IAM } from '@/api/paths';
import { useGet } from '@/api/queries';
import { useMay } from '@/app/session';
import { Age } from '@/app/time';
import { DetailPage } from '@/templates/detail-page';
import { Facts } from '@/templates/facts';
import { AccountForm } from './account-form';
import { AccountStatus } from './accounts';

export function AccountPage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { t } = useTranslation();
  const may = useMay();
  const [editing, setEditing] = useState(false);
  const account = useGet<Description>(`${IAM}/users/${name}`);
  return (
    <>
      <DetailPage
        crumbs={[{ label: t('words.accounts'), to: '/platform/accounts' }]}
        title={name}
        subtitle={account.data?.description}
        status={account.data && <AccountStatus of={account.data} />}
        actions={
          may('accounts', 'edit') && account.data
            ? [{ label: t('actions.edit'), onClick: () => setEditing(true) }]
            : []
        }
        isLoading={account.isPending}
        error={account.error}
        retry={() => void account.refetch()}
        tabs={[
          {
            key: 'overview',
            title: t('words.overview'),
            body: () => (
              <Grid hasGutter>
                <GridItem lg={6}>
                  <Facts
                    facts={[
                      [t('words.email'), account.data?.email],
                      [t('platform.accounts.role'), account.data?.cluster_role],
                      [t('words.created'), <Age key="created" of={account.data?.create_time} />],
                      [t('words.lastLogin'), <Age key="login" of={account.data?.last_login_time} />],
                    ]}
                  />
                </GridItem>
                <GridItem lg={6}>
                  <Permissions rules={account.data?.cluster_rules ?? []} />
                </GridItem>
              </Grid>
            ),
          },
          { key: 'logins', title: t('platform.accounts.logins'), body: () => <Logins name={name} /> },
        ]}
      />
      {editing && account.data && (
        <AccountForm
          account={account.data}
          onClose={() => {
            setEditing(false);
            void account.refetch();
          }}
        />
      )}
    </>
  );
}

function Permissions({ rules }: { rules: Permission[] }) {
  const { t } = useTranslation();
  return (
    <Card isCompact isFullHeight>
      <CardTitle component="h2">{t('platform.accounts.permissions')}</CardTitle>
      <CardBody>
        {rules.length === 0 && t('words.none')}
        <LabelGroup numLabels={20}>
          {rules.map((rule) => (
            <Label key={rule.name} isCompact variant="outline">
              {rule.name}: {rule.actions.join(', ')}
            </Label>
          ))}
        </LabelGroup>
      </CardBody>
    </Card>
  );
}

function Logins({ name }: { name: string }) {
  const { t } = useTranslation();
  const { data = [] } = useGet<LoginRecord[]>(`${IAM}/users/${name}/logs`);
  if (data.length === 0) return <p>{t('platform.accounts.noLogins')}</p>;
  return (
    <Table aria-label={t('platform.accounts.logins')} variant="compact">
      <Thead>
        <Tr>
          <Th>{t('platform.accounts.when')}</Th>
          <Th>{t('platform.accounts.address')}</Th>
        </Tr>
      </Thead>
      <Tbody>
        {data.toReversed().map((login) => (
          <Tr key={login.login_time}>
            <Td>
              <Age of={login.login_time} />
            </Td>
            <Td>{login.login_ip}</Td>
          </Tr>
        ))}
      </Tbody>
    </Table>
  );
}
