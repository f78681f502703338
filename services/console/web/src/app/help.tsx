/** Help: links of whoever runs the platform, the API documentation, and what this is. */
import { Dropdown, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import QuestionCircleIcon from '@patternfly/react-icons/dist/esm/icons/question-circle-icon';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { About } from './about';
import { useConfig } from './session';

export function HelpMenu() {
  const { t } = useTranslation();
  const { links } = useConfig();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const [isAboutOpen, setAboutOpen] = useState(false);
  const tools = ['kubectl', 'kubeconfig', 'tokens'] as const;
  return (
    <>
      <Dropdown
        isOpen={isOpen}
        onOpenChange={setOpen}
        onSelect={() => setOpen(false)}
        popperProps={{ position: 'right' }}
        toggle={(ref) => (
          <MenuToggle
            ref={ref}
            variant="plain"
            icon={<QuestionCircleIcon />}
            aria-label={t('app.help')}
            isExpanded={isOpen}
            onClick={() => setOpen(!isOpen)}
          />
        )}
      >
        <DropdownList>
          {links.map((link) => (
            <DropdownItem key={link.url} to={link.url} target="_blank" rel="noreferrer">
              {link.title}
            </DropdownItem>
          ))}
          <DropdownItem to="/swagger-ui" target="_blank">
            {t('app.apiDocs')}
          </DropdownItem>
          {tools.map((tool) => (
            <DropdownItem
              key={tool}
              onClick={() => void navigate({ to: '/me', search: { tab: tool } } as never)}
            >
              {t(`me.${tool}`)}
            </DropdownItem>
          ))}
          <DropdownItem onClick={() => setAboutOpen(true)}>{t('app.about')}</DropdownItem>
        </DropdownList>
      </Dropdown>
      {isAboutOpen && <About onClose={() => setAboutOpen(false)} />}
    </>
  );
}
