/** What is looked for in a log, and how it is shown. */
import {
  Button,
  Dropdown,
  DropdownItem,
  DropdownList,
  MenuToggle,
  SearchInput,
  ToggleGroup,
  ToggleGroupItem,
  Toolbar,
  ToolbarContent,
  ToolbarGroup,
  ToolbarItem,
} from '@patternfly/react-core';
import CogIcon from '@patternfly/react-icons/dist/esm/icons/cog-icon';
import CopyIcon from '@patternfly/react-icons/dist/esm/icons/copy-icon';
import DownloadIcon from '@patternfly/react-icons/dist/esm/icons/download-icon';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchLabels } from '@/templates/labels';
import { save } from '../export';
import { type LogLine, type Severity, stripAnsi } from './lines';
import type { LogLook } from './log-view';

export const SEVERITIES: Severity[] = ['error', 'warn', 'info', 'debug'];
const SINCE = [
  ['all', ''],
  ['fiveMinutes', '300'],
  ['hour', '3600'],
  ['day', '86400'],
] as const;

interface LogToolbarProps {
  lines: readonly LogLine[];
  name: string;
  search: string;
  onSearch: (text: string) => void;
  found: number;
  at: number;
  onStep: (step: 1 | -1) => void;
  severities: ReadonlySet<Severity>;
  onSeverity: (severity: Severity) => void;
  since: string;
  onSince: (since: string) => void;
  previous: boolean;
  onPrevious: (is: boolean) => void;
  look: LogLook;
  onLook: (look: LogLook) => void;
  onClear: () => void;
}

export function LogToolbar(props: LogToolbarProps) {
  const { t } = useTranslation();
  const labels = useSearchLabels();
  const text = () => props.lines.map((line) => `${line.time} ${stripAnsi(line.text)}`).join('\n');
  return (
    <Toolbar inset={{ default: 'insetNone' }}>
      <ToolbarContent>
        <ToolbarItem>
          <SearchInput
            {...labels}
            aria-label={t('project.logs.search')}
            placeholder={t('project.logs.search')}
            value={props.search}
            onChange={(_, value) => props.onSearch(value)}
            onClear={() => props.onSearch('')}
            resultsCount={props.search ? `${props.found > 0 ? props.at + 1 : 0} / ${props.found}` : undefined}
            onNextClick={() => props.onStep(1)}
            onPreviousClick={() => props.onStep(-1)}
            onKeyDown={(event) => {
              if (event.key === 'Enter') props.onStep(event.shiftKey ? -1 : 1);
            }}
          />
        </ToolbarItem>
        <ToolbarItem>
          <ToggleGroup aria-label={t('project.logs.severity')}>
            {SEVERITIES.map((each) => (
              <ToggleGroupItem
                key={each}
                text={t(`project.logs.${each}`)}
                isSelected={props.severities.has(each)}
                onChange={() => props.onSeverity(each)}
              />
            ))}
          </ToggleGroup>
        </ToolbarItem>
        <ToolbarGroup align={{ default: 'alignEnd' }}>
          <ToolbarItem>
            <Button
              variant="plain"
              icon={<CopyIcon />}
              aria-label={t('actions.copy')}
              onClick={() => void navigator.clipboard.writeText(text())}
            />
          </ToolbarItem>
          <ToolbarItem>
            <Button
              variant="plain"
              icon={<DownloadIcon />}
              aria-label={t('actions.download')}
              onClick={() => save(`${props.name}.log`, text())}
            />
          </ToolbarItem>
          <ToolbarItem>
            <LookMenu {...props} />
          </ToolbarItem>
        </ToolbarGroup>
      </ToolbarContent>
    </Toolbar>
  );
}

function LookMenu({ look, onLook, since, onSince, previous, onPrevious, onClear }: LogToolbarProps) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const toggle = (key: keyof LogLook) => onLook({ ...look, [key]: !look[key] });
  return (
    <Dropdown
      isOpen={isOpen}
      onOpenChange={setOpen}
      popperProps={{ position: 'right' }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          icon={<CogIcon />}
          aria-label={t('list.view')}
          isExpanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
      )}
    >
      <DropdownList>
        {(['wrap', 'times', 'fold'] as const).map((key) => (
          <DropdownItem key={key} hasCheckbox isSelected={look[key]} onClick={() => toggle(key)}>
            {t(`project.logs.look.${key}`)}
          </DropdownItem>
        ))}
        <DropdownItem hasCheckbox isSelected={previous} onClick={() => onPrevious(!previous)}>
          {t('project.logs.previous')}
        </DropdownItem>
        {SINCE.map(([key, seconds]) => (
          <DropdownItem key={key} isSelected={since === seconds} onClick={() => onSince(seconds)}>
            {t(`project.logs.since.${key}`)}
          </DropdownItem>
        ))}
        <DropdownItem onClick={onClear}>{t('project.logs.clear')}</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
