import { PageSection, Title } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { useProfile } from '@/app/session';

/** What is mine. */
export function HomePage() {
  const { t } = useTranslation();
  const { username } = useProfile();
  return (
    <PageSection hasBodyWrapper={false}>
      <Title headingLevel="h1">{t('home.title', { name: username })}</Title>
    </PageSection>
  );
}
