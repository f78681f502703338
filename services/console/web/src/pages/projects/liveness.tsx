/** Says that what is shown may be out of date, as soon as the stream of changes is lost. */
import { Alert } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import type { LiveState } from '@/api/live';
import { ago } from '@/app/time';

export function Liveness({ state, heardAt }: { state: LiveState; heardAt: number }) {
  const { t, i18n } = useTranslation();
  if (state !== 'lost') return null;
  return (
    <Alert
      isInline
      isPlain
      variant="warning"
      title={t('list.stale', { when: ago(heardAt, i18n.language) })}
    />
  );
}
