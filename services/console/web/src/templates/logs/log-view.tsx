/** Logs of one or several containers: followed, searched, filtered by severity. What is set is in the address. */
import { Alert, Button, EmptyState, EmptyStateBody } from '@patternfly/react-core';
import ArrowDownIcon from '@patternfly/react-icons/dist/esm/icons/arrow-down-icon';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '@/app/problem';
import { useUrlState } from '@/app/url-state';
import { usePreference } from '../preferences';
import { filtered, type LogLine, matches, type Severity } from './lines';
import { LogRow } from './log-row';
import { LogToolbar, SEVERITIES } from './log-toolbar';
import type { LogSource } from './stream';
import { useLog } from './use-log';

const TAIL = 2_000;
const ROW_PX = 20;
const AT_END_PX = 30;

export interface LogLook {
  wrap: boolean;
  times: boolean;
  fold: boolean;
}

export function LogView({ sources }: { sources: LogSource[] }) {
  const { t } = useTranslation();
  const [state, set] = useUrlState();
  const [look, setLook] = usePreference<LogLook>('logs', { wrap: false, times: false, fold: true });
  const previous = state.previous === '1';
  const log = useLog(sources, {
    follow: !previous,
    previous,
    since: Number(state.since) || 0,
    tail: TAIL,
  });
  const severities = useMemo(
    () => new Set(SEVERITIES.filter((each) => (state.severity ?? '').split('.').includes(each))),
    [state.severity],
  );
  const lines = useMemo(() => filtered(log.lines, { severities }), [log.lines, severities]);
  const found = useMemo(() => matches(lines, state.find ?? ''), [lines, state.find]);
  const [at, setAt] = useState(0);
  const current = found.length > 0 ? found[Math.min(at, found.length - 1)] : undefined;
  const toggle = (severity: Severity) => {
    const next = SEVERITIES.filter((each) => severities.has(each) !== (each === severity));
    set({ severity: next.join('.') });
  };
  return (
    <div className="ks-logs">
      <LogToolbar
        lines={lines}
        name={sources[0]?.pod ?? 'log'}
        search={state.find ?? ''}
        onSearch={(find) => {
          setAt(0);
          set({ find });
        }}
        found={found.length}
        at={Math.min(at, Math.max(0, found.length - 1))}
        onStep={(step) => setAt((before) => (before + step + found.length) % Math.max(1, found.length))}
        severities={severities}
        onSeverity={toggle}
        since={state.since ?? ''}
        onSince={(since) => set({ since })}
        previous={previous}
        onPrevious={(is) => set({ previous: is ? '1' : '' })}
        look={look}
        onLook={setLook}
        onClear={log.clear}
      />
      {log.error !== null && lines.length > 0 && (
        <Alert isInline variant="warning" title={t('project.logs.broken')}>
          {log.error instanceof Error ? log.error.message : String(log.error)}
        </Alert>
      )}
      {log.error !== null && lines.length === 0 ? (
        <Problem error={log.error} />
      ) : (
        <Lines
          lines={lines}
          look={look}
          search={state.find ?? ''}
          current={current}
          withSource={sources.length > 1}
          isOpen={log.isOpen}
          dropped={log.dropped}
        />
      )}
    </div>
  );
}

interface LinesProps {
  lines: readonly LogLine[];
  look: LogLook;
  search: string;
  current: number | undefined;
  withSource: boolean;
  isOpen: boolean;
  dropped: number;
}

/** Only what is seen is drawn. The end is followed until somebody scrolls up. */
function Lines({ lines, look, search, current, withSource, isOpen, dropped }: LinesProps) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 30,
    getItemKey: (index) => lines[index]?.id ?? index,
  });
  useEffect(() => {
    if (follows && lines.length > 0) rows.scrollToIndex(lines.length - 1, { align: 'end' });
  }, [follows, lines, rows]);
  useEffect(() => {
    if (current === undefined) return;
    setFollows(false);
    rows.scrollToIndex(current, { align: 'center' });
  }, [current, rows]);
  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    setFollows(element.scrollHeight - element.scrollTop - element.clientHeight < AT_END_PX);
  };
  return (
    <div className="ks-log-frame">
      {dropped > 0 && <p className="ks-subtle">{t('project.logs.dropped', { count: dropped })}</p>}
      <div
        ref={box}
        className={look.wrap ? 'ks-log ks-log-wrap' : 'ks-log'}
        onScroll={onScroll}
        role="log"
        aria-live="off"
        aria-label={t('project.logs.title')}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is scrolled with the keyboard
        tabIndex={0}
      >
        {lines.length === 0 && (
          <EmptyState
            titleText={t(isOpen ? 'project.logs.waiting' : 'project.logs.nothing')}
            headingLevel="h3"
          >
            <EmptyStateBody>{t('project.logs.nothingBody')}</EmptyStateBody>
          </EmptyState>
        )}
        <div className="ks-log-all" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((row) => {
            const line = lines[row.index];
            return (
              line && (
                <div
                  key={row.key}
                  data-index={row.index}
                  ref={rows.measureElement}
                  className="ks-log-place"
                  style={{ transform: `translateY(${row.start}px)` }}
                >
                  <LogRow
                    line={line}
                    look={look}
                    search={search}
                    isCurrent={row.index === current}
                    withSource={withSource}
                  />
                </div>
              )
            );
          })}
        </div>
      </div>
      {!follows && (
        <Button
          className="ks-log-follow"
          variant="secondary"
          size="sm"
          icon={<ArrowDownIcon />}
          onClick={() => setFollows(true)}
        >
          {t('project.logs.follow')}
        </Button>
      )}
    </div>
  );
}
