/** What is shown in place of what could not be: the reason in words, the request's identifier, a way on. */
import {
  Button,
  ClipboardCopy,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
} from '@patternfly/react-core';
import BanIcon from '@patternfly/react-icons/dist/esm/icons/ban-icon';
import DisconnectedIcon from '@patternfly/react-icons/dist/esm/icons/disconnected-icon';
import ExclamationCircleIcon from '@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon';
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/errors';
import { kindOf } from './errors';

const ICONS = {
  forbidden: BanIcon,
  notFound: SearchIcon,
  unreachable: DisconnectedIcon,
  crashed: ExclamationCircleIcon,
  title: ExclamationCircleIcon,
};

export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const kind = kindOf(error);
  const api = error instanceof ApiError ? error : null;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <EmptyState
      titleText={t(`problem.${kind}`)}
      icon={ICONS[kind]}
      headingLevel="h2"
      status={kind === 'crashed' ? 'danger' : undefined}
      role="alert"
    >
      <EmptyStateBody>
        {kind === 'forbidden' && <p>{t('problem.forbiddenBody')}</p>}
        <p>{message}</p>
        {api && api.retryAfter > 0 && <p>{t('problem.retryIn', { seconds: api.retryAfter })}</p>}
        {api?.requestId && (
          <ClipboardCopy
            isReadOnly
            variant="inline-compact"
            hoverTip={t('actions.copy')}
            clickTip={t('actions.copied')}
          >
            {api.requestId}
          </ClipboardCopy>
        )}
      </EmptyStateBody>
      {retry && (
        <EmptyStateFooter>
          <EmptyStateActions>
            <Button variant="primary" onClick={retry}>
              {t('actions.retry')}
            </Button>
          </EmptyStateActions>
        </EmptyStateFooter>
      )}
    </EmptyState>
  );
}

/** There is no page at this address. */
export function NotFound() {
  const { t } = useTranslation();
  return (
    <EmptyState titleText={t('problem.notFound')} icon={SearchIcon} headingLevel="h1">
      <EmptyStateBody>{t('problem.notFoundBody')}</EmptyStateBody>
    </EmptyState>
  );
}
