/** One line of a log. */
import { memo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ansiSpans, type LogLine, summaryOf } from './lines';
import type { LogLook } from './log-view';

interface LogRowProps {
  line: LogLine;
  look: LogLook;
  search: string;
  isCurrent: boolean;
  withSource: boolean;
}

const SOURCE_COLOURS = 6;

export const LogRow = memo(function LogRow({ line, look, search, isCurrent, withSource }: LogRowProps) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const folds = look.fold && line.json !== null;
  const text = folds ? summaryOf(line) : line.text;
  const classes = ['ks-log-line', line.severity && `ks-log-${line.severity}`, isCurrent && 'ks-log-current'];
  return (
    <div className={classes.filter(Boolean).join(' ')}>
      {look.times && <span className="ks-log-time">{line.time.slice(0, 23)}</span>}
      {withSource && <span className={`ks-log-source ks-source-${hueOf(line.source)}`}>{line.source}</span>}
      {folds && (
        <button
          type="button"
          className="ks-log-fold"
          aria-expanded={isOpen}
          aria-label={t('project.logs.unfold')}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen ? '▾' : '▸'}
        </button>
      )}
      <span className="ks-log-text">
        {ansiSpans(text).map((span, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a line never change
          <span key={index} className={span.className || undefined}>
            {marked(span.text, search)}
          </span>
        ))}
        {folds && isOpen && <pre className="ks-log-json">{JSON.stringify(line.json, null, 2)}</pre>}
      </span>
    </div>
  );
});

function marked(text: string, search: string) {
  if (!search) return text;
  const lower = text.toLowerCase();
  const wanted = search.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return [...parts, text.slice(from)];
}

function hueOf(source: string): number {
  let sum = 0;
  for (const letter of source) sum = (sum * 31 + letter.charCodeAt(0)) % 997;
  return sum % SOURCE_COLOURS;
}
