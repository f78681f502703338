import { describe, expect, it } from 'vitest';
import { errorOf } from '@/api/errors';
import { kindOf } from '@/app/errors';

const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
  errorOf(new Response(body, { status, headers }));

describe('an error of the platform', () => {
  it('has its words, its reason and the identifier of the request', async () => {
    const body = JSON.stringify({ message: 'no', reason: 'Forbidden', requestId: 'r1' });
    expect(await answer(403, body, { 'Retry-After': '5' })).toMatchObject({
      status: 403,
      message: 'no',
      reason: 'Forbidden',
      requestId: 'r1',
      retryAfter: 5,
      passes: false,
    });
  });

  it('of Kubernetes takes the identifier from the header', async () => {
    const status = JSON.stringify({ kind: 'Status', message: 'pods "x" not found', reason: 'NotFound' });
    const error = await answer(404, status, { 'X-Request-Id': 'r2' });
    expect(error).toMatchObject({ requestId: 'r2', reason: 'NotFound' });
  });

  it.each(['<html>', '', 'null', '[]'])('is said even where the body is %j', async (body) => {
    const error = await answer(503, body);
    expect(error.message).not.toBe('');
    expect(error.passes).toBe(true);
  });

  it('is shown for what it is', async () => {
    expect(kindOf(await answer(403, ''))).toBe('forbidden');
    expect(kindOf(await answer(404, ''))).toBe('notFound');
    expect(kindOf(await answer(503, ''))).toBe('unreachable');
    expect(kindOf(await answer(409, ''))).toBe('title');
    expect(kindOf(new TypeError('x'))).toBe('crashed');
  });
});
