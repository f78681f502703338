import { lazy } from 'react';
import { useTranslation } from 'react-i18next';
import { useProfile } from '@/app/session';
import { DetailPage } from '@/templates/detail-page';
import { Kubeconfig } from './kubeconfig';
import { PasswordForm } from './password';
import { ProfileForm } from './profile';
import { Tokens } from './tokens';

const Kubectl = lazy(() => import('./kubectl'));

/** One's own account and tools. */
export function MePage() {
  const { t } = useTranslation();
  const { username, email } = useProfile();
  return (
    <DetailPage
      crumbs={[]}
      title={username}
      subtitle={email}
      tabs={[
        { key: 'profile', title: t('me.profile'), body: () => <ProfileForm /> },
        { key: 'password', title: t('me.password'), body: () => <PasswordForm /> },
        { key: 'tokens', title: t('me.tokens'), body: () => <Tokens /> },
        { key: 'kubeconfig', title: t('me.kubeconfig'), body: () => <Kubeconfig /> },
        { key: 'kubectl', title: t('me.kubectl'), body: () => <Kubectl /> },
      ]}
    />
  );
}
