/** All notices of this visit. */
import {
  Button,
  EmptyState,
  NotificationDrawer,
  NotificationDrawerBody,
  NotificationDrawerHeader,
  NotificationDrawerList,
  NotificationDrawerListItem,
  NotificationDrawerListItemBody,
  NotificationDrawerListItemHeader,
} from '@patternfly/react-core';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { ago } from './ago';
import { clearNotices, markRead, useNotices } from './notices';

export function NoticeDrawer({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useTranslation();
  const notices = useNotices();
  const drawer = useRef<HTMLDivElement>(null);
  useEffect(() => {
    markRead();
    drawer.current?.focus();
  }, []);
  const clear = () => {
    clearNotices();
    drawer.current?.focus(); // the button goes, and with it what hears the keys
  };
  return (
    <div className="ks-drawer">
      <NotificationDrawer
        ref={drawer}
        tabIndex={-1}
        onKeyDown={(event) => event.key === 'Escape' && onClose()}
      >
        <NotificationDrawerHeader title={t('app.notifications')} onClose={onClose}>
          {notices.length > 0 && (
            <Button variant="link" isInline onClick={clear}>
              {t('notices.clear')}
            </Button>
          )}
        </NotificationDrawerHeader>
        <NotificationDrawerBody>
          {notices.length === 0 && (
            <EmptyState variant="xs" titleText={t('notices.none')} headingLevel="h2" />
          )}
          <NotificationDrawerList>
            {notices.map((notice) => (
              <NotificationDrawerListItem key={notice.id} variant={notice.variant} isRead isHoverable={false}>
                <NotificationDrawerListItemHeader title={notice.title} variant={notice.variant} />
                <NotificationDrawerListItemBody timestamp={ago(notice.when, i18n.language)}>
                  {notice.body}
                </NotificationDrawerListItemBody>
              </NotificationDrawerListItem>
            ))}
          </NotificationDrawerList>
        </NotificationDrawerBody>
      </NotificationDrawer>
    </div>
  );
}
