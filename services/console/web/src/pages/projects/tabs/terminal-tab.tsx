import { EmptyState, EmptyStateBody, FormSelect, FormSelectOption } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { useUrlState } from '@/app/url-state';
import { TerminalView } from '@/templates/terminal/terminal-view';
import type { Pod } from '../objects';
import { type Denied, RefusalNotice } from '../why/refusal';

interface TerminalTabProps {
  pod: Pod;
  mayOpen: boolean;
  denied: Denied[];
}

export function TerminalTab({ pod, mayOpen, denied }: TerminalTabProps) {
  const { t } = useTranslation();
  const [state, set] = useUrlState();
  const running = (pod.status?.containerStatuses ?? [])
    .filter((each) => each.state?.running)
    .map((each) => each.name);
  const container = running.find((each) => each === state.container) ?? running[0];
  if (!mayOpen) {
    return <RefusalNotice denied={denied.filter((each) => each.question.subresource === 'exec')} />;
  }
  if (!container) {
    return (
      <EmptyState titleText={t('project.terminal.none')} headingLevel="h2">
        <EmptyStateBody>{t('project.terminal.noneBody')}</EmptyStateBody>
      </EmptyState>
    );
  }
  return (
    <>
      {running.length > 1 && (
        <FormSelect
          className="ks-container-choice"
          aria-label={t('project.words.container')}
          value={container}
          onChange={(_, value) => set({ container: value }, { push: true })}
        >
          {running.map((each) => (
            <FormSelectOption key={each} value={each} label={each} />
          ))}
        </FormSelect>
      )}
      <TerminalView
        key={container}
        namespace={pod.metadata.namespace ?? ''}
        pod={pod.metadata.name}
        container={container}
      />
    </>
  );
}
