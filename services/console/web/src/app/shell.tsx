/** The frame around every page: masthead, navigation, notices, and the page itself. */
import {
  Alert,
  AlertActionCloseButton,
  AlertGroup,
  Page,
  PageSection,
  Skeleton,
  SkipToContent,
} from '@patternfly/react-core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Outlet, useLocation, useNavigate } from '@tanstack/react-router';
import { Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { SESSION_QUERY, watchSession } from './current-session';
import { ErrorBoundary } from './error-boundary';
import { Top } from './masthead';
import { markRead, useNotices } from './notices';
import { Palette } from './palette';
import { remember } from './recent';
import { ProfileContext } from './session';
import { Navigation } from './sidebar';

export function Shell() {
  const { data: session } = useSuspenseQuery(SESSION_QUERY);
  const { t } = useTranslation();
  const location = useLocation();
  const navigate = useNavigate();
  const [searching, setSearching] = useState(false);
  useEffect(() => watchSession(() => void leave(navigate)), [navigate]);
  useEffect(() => remember(location.pathname), [location.pathname]);
  useEffect(() => onPaletteKey(() => setSearching(true)), []);
  if (session.user === null) return null;
  return (
    <ProfileContext value={session.user}>
      <Page
        isManagedSidebar
        isContentFilled
        mainContainerId="content"
        masthead={<Top onSearch={() => setSearching(true)} />}
        sidebar={<Navigation />}
        skipToContent={<SkipToContent href="#content">{t('app.skip')}</SkipToContent>}
      >
        <ErrorBoundary resetKey={location.pathname}>
          <Suspense fallback={<PageSkeleton />}>
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </Page>
      {searching && <Palette onClose={() => setSearching(false)} />}
      <Toasts />
    </ProfileContext>
  );
}

function leave(navigate: ReturnType<typeof useNavigate>) {
  const next = window.location.pathname + window.location.search;
  return navigate({ to: '/login', search: { next, ended: '1' } } as never);
}

function onPaletteKey(open: () => void): () => void {
  const listener = (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      open();
    }
  };
  window.addEventListener('keydown', listener);
  return () => window.removeEventListener('keydown', listener);
}

export function PageSkeleton() {
  return (
    <PageSection hasBodyWrapper={false} aria-busy>
      <Skeleton width="30%" fontSize="2xl" />
      <br />
      <Skeleton width="60%" />
    </PageSection>
  );
}

const TOAST_MS = 6000;
const TOASTS = 3;

function Toasts() {
  const notices = useNotices();
  const { t } = useTranslation();
  const shown = notices.filter((notice) => !notice.read).slice(0, TOASTS);
  return (
    <AlertGroup isToast isLiveRegion aria-label={t('app.notifications')}>
      {shown.map((notice) => (
        <Alert
          key={notice.id}
          variant={notice.variant}
          title={notice.title}
          timeout={notice.variant === 'danger' ? false : TOAST_MS}
          onTimeout={() => markRead(notice.id)}
          actionClose={
            <AlertActionCloseButton title={t('actions.close')} onClose={() => markRead(notice.id)} />
          }
        >
          {notice.body}
        </Alert>
      ))}
    </AlertGroup>
  );
}
