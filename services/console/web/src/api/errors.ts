/** What went wrong, as the platform says it. `status` 0 stands for a server that did not answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly reason = '',
    readonly requestId = '',
    /** Seconds after which another try makes sense; 0 where nothing was said. */
    readonly retryAfter = 0,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Whether the same request may well succeed in a moment. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** The error of an answer: the services' shape, or Kubernetes' Status. */
export async function errorOf(answer: Response): Promise<ApiError> {
  const text = await answer.text().catch(() => '');
  const said = parse(text);
  const header = answer.headers.get('X-Request-Id') ?? '';
  const message = said.message || text.slice(0, 300) || `${answer.status} ${answer.statusText}`;
  const wait = Number(answer.headers.get('Retry-After'));
  return new ApiError(answer.status, message, said.reason ?? '', said.requestId || header, wait || 0);
}

function parse(text: string): { message?: string; reason?: string; requestId?: string } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
