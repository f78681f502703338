/** The lines of some containers, kept current while they are looked at. */
import { useCallback, useEffect, useRef, useState } from 'react';
import { ApiError } from '@/api/errors';
import { LogBuffer, type LogLine } from './lines';
import { type LogQuestion, type LogSource, logPath, readLog } from './stream';

const SHOW_MS = 120;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

export interface Log {
  lines: readonly LogLine[];
  dropped: number;
  error: unknown;
  /** Whether more may come. */
  isOpen: boolean;
  clear: () => void;
}

export function useLog(sources: LogSource[], question: LogQuestion): Log {
  const buffer = useRef(new LogBuffer());
  const [shown, setShown] = useState<{ lines: readonly LogLine[]; dropped: number }>({
    lines: [],
    dropped: 0,
  });
  const [error, setError] = useState<unknown>(null);
  const [isOpen, setOpen] = useState(true);
  const key = JSON.stringify([sources, question]);
  useEffect(() => {
    const [asked, how] = JSON.parse(key) as [LogSource[], LogQuestion];
    const abort = new AbortController();
    const own = new LogBuffer();
    buffer.current = own;
    setShown({ lines: [], dropped: 0 });
    setError(null);
    setOpen(true);
    let pending = false;
    const show = () => {
      if (pending) return;
      pending = true;
      setTimeout(() => {
        pending = false;
        if (buffer.current === own && !abort.signal.aborted) {
          setShown({ lines: [...own.lines], dropped: own.dropped });
        }
      }, SHOW_MS);
    };
    const all = asked.map((source) => follow(source, how, abort.signal, own, show));
    void Promise.allSettled(all).then((ends) => {
      if (abort.signal.aborted) return;
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) setError(failed.reason);
      setOpen(false);
    });
    return () => abort.abort();
  }, [key]);
  const clear = useCallback(() => {
    buffer.current.clear();
    setShown({ lines: [], dropped: 0 });
  }, []);
  return { ...shown, error, isOpen, clear };
}

/** Reads until the log ends. A connection that breaks is made again, from the last line on. */
async function follow(
  source: LogSource,
  question: LogQuestion,
  signal: AbortSignal,
  buffer: LogBuffer,
  show: () => void,
): Promise<void> {
  const name = `${source.pod}/${source.container}`;
  let latest = '';
  let wait = FIRST_WAIT_MS;
  for (;;) {
    const resumed = latest;
    try {
      const path = logPath(source, latest ? { ...question, tail: 0, sinceTime: latest } : question);
      await readLog(path, signal, (lines) => {
        // `sinceTime` is of whole seconds: what was shown already comes again.
        const fresh = resumed ? lines.filter((line) => timeOf(line) > resumed) : lines;
        latest = timeOf(lines.at(-1) ?? '') || latest;
        wait = FIRST_WAIT_MS;
        buffer.push(fresh, name);
        show();
      });
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!question.follow || (error instanceof ApiError && !error.passes)) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }
}

function timeOf(line: string): string {
  return /^\S+/.exec(line)?.[0] ?? '';
}
