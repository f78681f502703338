/** The log of a container as it is written, through the console. */
import { raw } from '@/api/client';
import { TERMINAL } from '@/api/paths';
import { LineCutter } from './lines';

export interface LogSource {
  namespace: string;
  pod: string;
  container: string;
}

export interface LogQuestion {
  follow: boolean;
  previous: boolean;
  /** Seconds; 0 for all. */
  since: number;
  tail: number;
}

export function logPath(source: LogSource, question: Partial<LogQuestion> & { sinceTime?: string }): string {
  const parameters = new URLSearchParams({ container: source.container, timestamps: 'true' });
  if (question.follow) parameters.set('follow', 'true');
  if (question.previous) parameters.set('previous', 'true');
  if (question.sinceTime) parameters.set('sinceTime', question.sinceTime);
  else if (question.since) parameters.set('sinceSeconds', String(question.since));
  if (question.tail) parameters.set('tailLines', String(question.tail));
  return `${TERMINAL}/namespaces/${encodeURIComponent(source.namespace)}/pods/${encodeURIComponent(source.pod)}/log?${parameters}`;
}

/** Gives lines to `take` until the log ends. Throws ApiError, and what breaks the connection off. */
export async function readLog(
  path: string,
  signal: AbortSignal,
  take: (lines: string[]) => void,
): Promise<void> {
  const answer = await raw(path, { accept: '*/*', signal });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  const cutter = new LineCutter();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = cutter.push(value);
    if (lines.length > 0) take(lines);
  }
  const rest = cutter.end();
  if (rest.length > 0) take(rest);
}
