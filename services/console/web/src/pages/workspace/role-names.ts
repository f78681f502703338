import { useTranslation } from 'react-i18next';

/** The roles that every workspace has, in words. */
export function useRoleNames() {
  const { t } = useTranslation();
  const options = [
    { value: 'workspace-admin', label: t('workspace.roles.admin') },
    { value: 'workspace-regular', label: t('workspace.roles.regular') },
    { value: 'workspace-viewer', label: t('workspace.roles.viewer') },
  ];
  return { options, label: (role: string) => options.find((each) => each.value === role)?.label ?? role };
}
