/** The bar on top: where one is, search, notices, help, and oneself. */
import {
  Button,
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  MastheadToggle,
  MenuToggle,
  NotificationBadge,
  PageToggleButton,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
} from '@patternfly/react-core';
import BarsIcon from '@patternfly/react-icons/dist/esm/icons/bars-icon';
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon';
import UserIcon from '@patternfly/react-icons/dist/esm/icons/user-icon';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, LANGUAGES, type Language } from '@/i18n';
import mark from '@/theme/mark.svg';
import { chooseTheme, chosenTheme, type Theme } from '@/theme/theme';
import { signOut } from './current-session';
import { HelpMenu } from './help';
import { RouterLink } from './link';
import { NoticeDrawer } from './notice-drawer';
import { useNotices } from './notices';
import { useConfig, useProfile } from './session';
import { Switcher } from './switcher';

export function Top({ onSearch }: { onSearch: () => void }) {
  const { t } = useTranslation();
  const { title } = useConfig();
  return (
    <Masthead>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton variant="plain" aria-label={t('app.toggleNavigation')}>
            <BarsIcon />
          </PageToggleButton>
        </MastheadToggle>
        <MastheadBrand>
          <MastheadLogo component={(props) => <RouterLink {...props} to="/" />}>
            <img src={mark} alt="" className="ks-mark" />
            <span className="ks-title">{title}</span>
          </MastheadLogo>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <Toolbar isStatic>
          <ToolbarContent>
            <ToolbarItem className="ks-place">
              <Switcher />
            </ToolbarItem>
            <ToolbarGroup align={{ default: 'alignEnd' }}>
              <ToolbarItem>
                <Button
                  variant="control"
                  icon={<SearchIcon />}
                  onClick={onSearch}
                  className="ks-search"
                  aria-keyshortcuts="Control+K"
                >
                  <span className="ks-wide">{t('app.search')}</span> <kbd className="ks-wide">Ctrl K</kbd>
                </Button>
              </ToolbarItem>
              <ToolbarItem>
                <Notices />
              </ToolbarItem>
              <ToolbarItem>
                <HelpMenu />
              </ToolbarItem>
              <ToolbarItem>
                <UserMenu />
              </ToolbarItem>
            </ToolbarGroup>
          </ToolbarContent>
        </Toolbar>
      </MastheadContent>
    </Masthead>
  );
}

function Notices() {
  const { t } = useTranslation();
  const notices = useNotices();
  const [isOpen, setOpen] = useState(false);
  const failed = notices.some((notice) => notice.variant === 'danger');
  return (
    <>
      <NotificationBadge
        variant={failed ? 'attention' : notices.length > 0 ? 'unread' : 'read'}
        count={notices.length}
        aria-label={
          notices.length > 0 ? t('app.notificationsOf', { count: notices.length }) : t('app.notifications')
        }
        isExpanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && <NoticeDrawer onClose={() => setOpen(false)} />}
    </>
  );
}

function UserMenu() {
  const { t, i18n } = useTranslation();
  const { username } = useProfile();
  const { languages } = useConfig();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const themes: [Theme, string][] = [
    ['system', t('app.themeSystem')],
    ['light', t('app.themeLight')],
    ['dark', t('app.themeDark')],
  ];
  const choose = (next: Theme) => {
    chooseTheme(next);
    setTheme(next);
  };
  const leave = async () => {
    await signOut();
    await navigate({ to: '/login' });
  };
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plainText"
          icon={<UserIcon />}
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          aria-label={`${t('app.account')}: ${username}`}
        >
          <span className="ks-wide">{username}</span>
        </MenuToggle>
      )}
    >
      <DropdownList>
        <DropdownItem onClick={() => void navigate({ to: '/me' as never })}>{t('app.profile')}</DropdownItem>
      </DropdownList>
      <DropdownGroup label={t('app.theme')}>
        <DropdownList>
          {themes.map(([value, label]) => (
            <DropdownItem key={value} isSelected={theme === value} onClick={() => choose(value)}>
              {label}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
      <DropdownGroup label={t('app.language')}>
        <DropdownList>
          {languages
            .filter((each): each is Language => each in LANGUAGES)
            .map((each) => (
              <DropdownItem
                key={each}
                isSelected={i18n.language === each}
                onClick={() => void chooseLanguage(each)}
              >
                {LANGUAGES[each]}
              </DropdownItem>
            ))}
        </DropdownList>
      </DropdownGroup>
      <DropdownList>
        <DropdownItem onClick={() => void leave()}>{t('app.signOut')}</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
