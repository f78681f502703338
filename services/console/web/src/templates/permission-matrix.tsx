/** Permissions by role: what each role allows, at a glance. */
import { Icon, Skeleton, Tooltip } from '@patternfly/react-core';
import CheckIcon from '@patternfly/react-icons/dist/esm/icons/check-icon';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Permission } from '@/api/client';
import { allows } from '@/app/session';
import { permissionsOf } from './permissions';

export interface MatrixRole {
  name: string;
  heading: ReactNode;
  /** Undefined until they are known. */
  rules: Permission[] | undefined;
}

export function PermissionMatrix({ label, roles }: { label: string; roles: MatrixRole[] }) {
  const { t } = useTranslation();
  if (roles.some((role) => role.rules === undefined)) return <Skeleton height="16rem" aria-busy />;
  return (
    <Table aria-label={label} variant="compact" gridBreakPoint="">
      <Thead>
        <Tr>
          <Th>{t('platform.roles.permission')}</Th>
          {roles.map((role) => (
            <Th key={role.name} textCenter>
              {role.heading}
            </Th>
          ))}
        </Tr>
      </Thead>
      <Tbody>
        {permissionsOf(roles).flatMap((permission) =>
          permission.actions.map((action, index) => (
            <Tr key={`${permission.name}/${action}`}>
              <Td>
                <strong className={index > 0 ? 'pf-v6-screen-reader' : undefined}>{permission.name}</strong>{' '}
                <span className={index > 0 ? 'ks-indent' : undefined}>{action}</span>
              </Td>
              {roles.map((role) => (
                <Td key={role.name} textCenter>
                  <Mark isAllowed={allows(role.rules, permission.name, action)} />
                </Td>
              ))}
            </Tr>
          )),
        )}
      </Tbody>
    </Table>
  );
}

function Mark({ isAllowed }: { isAllowed: boolean }) {
  const { t } = useTranslation();
  if (!isAllowed)
    return (
      <span className="ks-subtle">
        –<span className="pf-v6-screen-reader">{t('platform.roles.notAllowed')}</span>
      </span>
    );
  return (
    <Tooltip content={t('platform.roles.allowed')}>
      <span>
        <Icon status="success">
          <CheckIcon />
        </Icon>
        <span className="pf-v6-screen-reader">{t('platform.roles.allowed')}</span>
      </span>
    </Tooltip>
  );
}
