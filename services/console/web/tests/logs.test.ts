import { describe, expect, it } from 'vitest';
import {
  ansiSpans,
  filtered,
  LineCutter,
  LogBuffer,
  matches,
  readLine,
  severityOf,
  stripAnsi,
  summaryOf,
} from '@/templates/logs/lines';

const lines = (...raws: string[]) => raws.map((raw, id) => readLine(raw, id, 'main'));

describe('a stream of lines', () => {
  it('is cut where lines end, whatever pieces it comes in', () => {
    const cutter = new LineCutter();
    expect(cutter.push('one\ntw')).toEqual(['one']);
    expect(cutter.push('o\r\n\nthr')).toEqual(['two', '']);
    expect(cutter.end()).toEqual(['thr']);
    expect(cutter.end()).toEqual([]);
  });

  it('is kept up to a limit, the latest lines', () => {
    const buffer = new LogBuffer(100);
    for (let number = 0; number < 1000; number++) buffer.push([`line ${number}`], 'main');
    expect(buffer.lines.length).toBeLessThanOrEqual(110);
    expect(buffer.lines.length + buffer.dropped).toBe(1000);
    expect(buffer.lines.at(-1)).toMatchObject({ text: 'line 999', id: 999 });
    buffer.clear();
    expect(buffer.lines).toEqual([]);
    buffer.push(['next'], 'main');
    expect(buffer.lines[0]?.id).toBe(1000);
  });
});

describe('a line', () => {
  it('has the moment that the runtime wrote before it', () => {
    expect(readLine('2026-01-10T12:00:00.123456789Z hello', 3, 'web')).toMatchObject({
      id: 3,
      source: 'web',
      time: '2026-01-10T12:00:00.123456789Z',
      text: 'hello',
    });
    expect(readLine('2026 was hello', 0, 'web')).toMatchObject({ time: '', text: '2026 was hello' });
  });

  it('that is an object is read as one, and shown by its message', () => {
    const [line] = lines('{"level":"warn","msg":"slow","ms":3}');
    expect(line).toMatchObject({ severity: 'warn', json: { ms: 3 } });
    expect(line && summaryOf(line)).toBe('slow');
    const [other] = lines('{"ms":3}');
    expect(other && summaryOf(other)).toBe('{"ms":3}');
    expect(lines('{broken}')[0]?.json).toBeNull();
  });

  it.each([
    ['ERROR it broke', 'error'],
    ['[warn] careful', 'warn'],
    ['level=info ready', 'info'],
    ['E0110 12:00:00.000000 1 x.go:1] no', 'error'],
    ['I0110 12:00:00.000000 1 x.go:1] error count is 0', 'info'],
    ['{"level":50}', 'error'],
    ['{"level":30}', 'info'],
    ['{"severity":"WARNING"}', 'warn'],
    ['\u001b[31mERROR\u001b[0m x', 'error'],
    ['terrors of the deep', null],
    [`${'x'.repeat(200)} error`, null],
  ])('%j is of severity %s', (text, severity) => {
    expect(severityOf(text)).toBe(severity);
  });
});

describe('lines that are looked for', () => {
  const trace = lines('INFO start', 'ERROR broken', '  at main.ts:1', 'INFO goes on', '  more');

  it('by severity come with the lines of their traces', () => {
    const found = filtered(trace, { severities: new Set(['error'] as const) });
    expect(found.map((each) => each.id)).toEqual([1, 2]);
    expect(filtered(trace, { severities: new Set() })).toBe(trace);
  });

  it('by text are found whatever its case', () => {
    expect(matches(trace, 'BROKEN')).toEqual([1]);
    expect(matches(trace, '')).toEqual([]);
  });
});

describe('colours', () => {
  it('are those that the line asks for', () => {
    expect(ansiSpans('a\u001b[1;31mb\u001b[39mc\u001b[0md\u001b[96me')).toEqual([
      { text: 'a', className: '' },
      { text: 'b', className: 'ks-ansi-red ks-ansi-bold' },
      { text: 'c', className: 'ks-ansi-bold' },
      { text: 'd', className: '' },
      { text: 'e', className: 'ks-ansi-cyan' },
    ]);
  });

  it('leave nothing of themselves in the text', () => {
    expect(stripAnsi('a\u001b[2K\u001b[31mb')).toBe('ab');
    expect(ansiSpans('a\u001b[2Kb').map((each) => each.text)).toEqual(['a', 'b']);
  });
});
