/** A terminal in a container, on a page. */
import '@xterm/xterm/css/xterm.css';
import { Alert, AlertActionLink, Button } from '@patternfly/react-core';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { type TerminalTarget, terminalIn } from './session';

export function TerminalView(target: TerminalTarget) {
  const { t } = useTranslation();
  const host = useRef<HTMLDivElement>(null);
  const session = terminalIn(target);
  const state = useSyncExternalStore(
    (listener) => session.onChange(listener),
    () => session.state,
  );
  useEffect(() => (host.current ? session.attach(host.current) : undefined), [session]);
  return (
    <div className="ks-terminal">
      <div className="ks-terminal-bar">
        <span className="ks-subtle" role="status">
          {state.is === 'open' && t('project.terminal.open', { container: target.container })}
          {state.is === 'connecting' && t('project.terminal.connecting')}
          {state.is === 'closed' && t('project.terminal.closed')}
        </span>
        <Button variant="link" isInline onClick={() => session.clear()}>
          {t('project.terminal.clear')}
        </Button>
      </div>
      {state.is === 'closed' && (
        <Alert
          isInline
          variant={state.well ? 'info' : 'warning'}
          title={state.why || t('project.terminal.lost')}
          actionLinks={
            <AlertActionLink onClick={() => session.connect()}>{t('project.terminal.again')}</AlertActionLink>
          }
        />
      )}
      <div ref={host} className="ks-terminal-host" />
    </div>
  );
}
