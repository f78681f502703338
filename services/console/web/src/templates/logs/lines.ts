/** Lines of logs: cut from a stream, read, and kept up to a limit. Pure. */
export type Severity = 'error' | 'warn' | 'info' | 'debug';

export interface LogLine {
  /** Grows by one from line to line. */
  id: number;
  /** Which container wrote it. */
  source: string;
  /** RFC 3339, as the container runtime wrote it. */
  time: string;
  text: string;
  severity: Severity | null;
  /** The members of a line that is a JSON object. */
  json: Record<string, unknown> | null;
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) /;
const KLOG = /^([EWIF])\d{4} \d\d:\d\d:\d\d/;
const WORDS: [Severity, RegExp][] = [
  ['error', /\b(error|err|fatal|panic|critical|crit|emerg|alert|exception)\b/i],
  ['warn', /\b(warn|warning)\b/i],
  ['info', /\b(info|notice)\b/i],
  ['debug', /\b(debug|trace)\b/i],
];
const OF_KLOG: Record<string, Severity> = { E: 'error', F: 'error', W: 'warn', I: 'info' };
const LEVELS = ['level', 'severity', 'lvl', 'log.level', 'levelname'];
const MESSAGES = ['msg', 'message', 'event', 'log'];
/** A severity stands at the beginning of a line; further on, words are what the line speaks of. */
const HEAD = 120;
/** Levels of bunyan and pino. */
const NUMBERED: [number, Severity][] = [
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
  [0, 'debug'],
];

/** Cuts what comes in pieces into whole lines. */
export class LineCutter {
  private rest = '';

  push(piece: string): string[] {
    const lines = (this.rest + piece).split('\n');
    this.rest = lines.pop() ?? '';
    return lines.map((line) => line.replace(/\r$/, ''));
  }

  /** What is left when there is no more. */
  end(): string[] {
    const rest = this.rest;
    this.rest = '';
    return rest ? [rest] : [];
  }
}

export function readLine(raw: string, id: number, source: string): LogLine {
  const time = TIME.exec(raw)?.[1] ?? '';
  const text = time ? raw.slice(time.length + 1) : raw;
  const json = jsonOf(text);
  return { id, source, time, text, severity: severityOf(text, json), json };
}

export function severityOf(
  text: string,
  json: Record<string, unknown> | null = jsonOf(text),
): Severity | null {
  if (json) {
    const level = LEVELS.map((key) => json[key]).find((each) => each !== undefined);
    if (typeof level === 'number') return NUMBERED.find(([least]) => level >= least)?.[1] ?? null;
    return typeof level === 'string' ? byWords(level) : null;
  }
  const klog = KLOG.exec(text)?.[1];
  return klog ? (OF_KLOG[klog] ?? null) : byWords(stripAnsi(text).slice(0, HEAD));
}

function byWords(text: string): Severity | null {
  return WORDS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

function jsonOf(text: string): Record<string, unknown> | null {
  if (!text.startsWith('{') || !text.trimEnd().endsWith('}')) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** A JSON line in short: its message, or else all of it. */
export function summaryOf(line: LogLine): string {
  const message =
    line.json && MESSAGES.map((key) => line.json?.[key]).find((each) => typeof each === 'string');
  return typeof message === 'string' && message !== '' ? message : line.text;
}

/** The latest lines, at most `most`. */
export class LogBuffer {
  private kept: LogLine[] = [];
  private serial = 0;
  /** How many were let go. */
  dropped = 0;

  constructor(private readonly most = 50_000) {}

  push(raws: string[], source: string): void {
    for (const raw of raws) this.kept.push(readLine(raw, this.serial++, source));
    const over = this.kept.length - this.most;
    // Copying the array costs as much as it holds: a tenth more is kept until then.
    if (over > this.most / 10) {
      this.kept = this.kept.slice(over);
      this.dropped += over;
    }
  }

  clear(): void {
    this.kept = [];
    this.dropped = 0;
  }

  get lines(): readonly LogLine[] {
    return this.kept;
  }
}

export interface LogFilter {
  severities: ReadonlySet<Severity>;
}

/** Lines of the wanted severities; a line without one goes with the line before it, as those of a stack trace do. */
export function filtered(lines: readonly LogLine[], { severities }: LogFilter): readonly LogLine[] {
  if (severities.size === 0) return lines;
  const last = new Map<string, boolean>();
  return lines.filter((line) => {
    const shown = line.severity ? severities.has(line.severity) : (last.get(line.source) ?? false);
    last.set(line.source, shown);
    return shown;
  });
}

/** The places of the lines that hold `text`, whatever its case. */
export function matches(lines: readonly LogLine[], text: string): number[] {
  const wanted = text.toLowerCase();
  if (!wanted) return [];
  return lines.flatMap((line, index) => (line.text.toLowerCase().includes(wanted) ? [index] : []));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what escape sequences are made of
const ANSI = /\u001b\[([\d;]*)([A-Za-z])/g;

export function stripAnsi(text: string): string {
  return text.replace(ANSI, '');
}

export interface Span {
  text: string;
  /** `ks-ansi-...` classes, or empty. */
  className: string;
}

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** A line with its colours (SGR of ECMA-48: foreground colours and bold). */
export function ansiSpans(text: string): Span[] {
  const spans: Span[] = [];
  let colour = '';
  let bold = false;
  let from = 0;
  const add = (to: number) => {
    if (to <= from) return;
    const className = [colour && `ks-ansi-${colour}`, bold && 'ks-ansi-bold'].filter(Boolean).join(' ');
    spans.push({ text: text.slice(from, to), className });
  };
  for (const found of text.matchAll(ANSI)) {
    add(found.index);
    from = found.index + found[0].length;
    if (found[2] !== 'm') continue;
    for (const code of (found[1] || '0').split(';').map(Number)) {
      if (code === 0) [colour, bold] = ['', false];
      else if (code === 1) bold = true;
      else if (code === 22) bold = false;
      else if (code === 39) colour = '';
      else if ((code >= 30 && code < 38) || (code >= 90 && code < 98)) colour = COLOURS[code % 10] ?? '';
    }
  }
  add(text.length);
  return spans;
}
