/** An object: where it is, its name and state, what can be done with it, and tabs that are in the address. */
import {
  Breadcrumb,
  BreadcrumbItem,
  Content,
  Dropdown,
  DropdownItem,
  DropdownList,
  MenuToggle,
  PageSection,
  Skeleton,
  Tab,
  TabContent,
  Tabs,
  TabTitleText,
  Title,
} from '@patternfly/react-core';
import { type ReactNode, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { RouterLink } from '@/app/link';
import { Problem } from '@/app/problem';
import { useTitle } from '@/app/title';
import { type UrlState, useUrlState } from '@/app/url-state';
import type { RowAction } from './list-table';

export interface DetailTab {
  key: string;
  title: string;
  /** Made when the tab is looked at. */
  body: () => ReactNode;
  isHidden?: boolean;
}

export interface DetailPageProps {
  /** The way here; the page itself is added. */
  crumbs: { label: string; to?: string }[];
  title: string;
  subtitle?: ReactNode;
  status?: ReactNode;
  actions?: RowAction[];
  /** Above the tabs, such as an explanation of what may not be done here. */
  notice?: ReactNode;
  tabs: DetailTab[];
  isLoading?: boolean;
  error?: unknown;
  retry?: () => void;
}

export function DetailPage(props: DetailPageProps) {
  const [state, set] = useUrlState();
  const { tab = '' } = state;
  useTitle(props.title);
  const tabs = props.tabs.filter((each) => !each.isHidden);
  const chosen = tabs.find((each) => each.key === tab) ?? tabs[0];
  return (
    <>
      {props.crumbs.length > 0 && (
        <PageSection hasBodyWrapper={false} type="breadcrumb">
          <Breadcrumb>
            {props.crumbs.map((crumb) => (
              <BreadcrumbItem key={crumb.label} render={({ className }) => crumbLink(crumb, className)} />
            ))}
            <BreadcrumbItem isActive>{props.title}</BreadcrumbItem>
          </Breadcrumb>
        </PageSection>
      )}
      <PageSection hasBodyWrapper={false} className="ks-heading">
        <div className="ks-heading-row">
          <div className="ks-heading-name">
            <Title headingLevel="h1">{props.title}</Title>
            {props.status}
          </div>
          {props.actions && props.actions.length > 0 && (
            <Actions actions={props.actions} name={props.title} />
          )}
        </div>
        {props.subtitle && <Content component="p">{props.subtitle}</Content>}
        {props.notice}
      </PageSection>
      {tabs.length > 1 && (
        <PageSection hasBodyWrapper={false} type="tabs">
          <Tabs
            activeKey={chosen?.key}
            onSelect={(_, key) =>
              set({ ...none(state), tab: key === tabs[0]?.key ? '' : String(key) }, { push: true })
            }
            usePageInsets
            aria-label={props.title}
          >
            {tabs.map((each) => (
              <Tab
                key={each.key}
                eventKey={each.key}
                title={<TabTitleText>{each.title}</TabTitleText>}
                tabContentId={`tab-${each.key}`}
              />
            ))}
          </Tabs>
        </PageSection>
      )}
      <PageSection hasBodyWrapper={false} isFilled>
        <Body {...props} chosen={chosen} />
      </PageSection>
    </>
  );
}

/** What was set in one tab says nothing in another. */
function none(state: UrlState): UrlState {
  return Object.fromEntries(Object.keys(state).map((key) => [key, '']));
}

function Body({ isLoading, error, retry, chosen }: DetailPageProps & { chosen: DetailTab | undefined }) {
  if (error) return <Problem error={error} retry={retry} />;
  if (isLoading || !chosen) return <Skeleton height="12rem" aria-busy />;
  return (
    <TabContent key={chosen.key} id={`tab-${chosen.key}`} eventKey={chosen.key} activeKey={chosen.key}>
      <Suspense fallback={<Skeleton height="12rem" aria-busy />}>{chosen.body()}</Suspense>
    </TabContent>
  );
}

function crumbLink(crumb: { label: string; to?: string }, className: string): ReactNode {
  return crumb.to ? (
    <RouterLink to={crumb.to} className={className}>
      {crumb.label}
    </RouterLink>
  ) : (
    crumb.label
  );
}

function Actions({ actions, name }: { actions: RowAction[]; name: string }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          aria-label={t('actions.actionsFor', { name })}
        >
          {t('actions.more')}
        </MenuToggle>
      )}
    >
      <DropdownList>
        {actions.map((action) => (
          <DropdownItem
            key={action.label}
            onClick={action.onClick}
            isDanger={action.isDanger}
            isAriaDisabled={action.isDisabled}
            description={action.description}
          >
            {action.label}
          </DropdownItem>
        ))}
      </DropdownList>
    </Dropdown>
  );
}
