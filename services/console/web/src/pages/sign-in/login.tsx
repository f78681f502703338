import { ActionGroup, Alert, Button, Divider, Form, FormGroup, TextInput } from '@patternfly/react-core';
import { useRouter } from '@tanstack/react-router';
import type { TFunction } from 'i18next';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/errors';
import type { Provider } from '@/api/iam';
import { IAM } from '@/api/paths';
import { useGet } from '@/api/queries';
import { signIn } from '@/app/current-session';
import { useUrlState } from '@/app/url-state';
import { SignInFrame } from './frame';
import { safeNext } from './next';
import { PasswordInput } from './password-input';

export function LoginPage() {
  const { t } = useTranslation();
  const [{ next = '/', ended }] = useUrlState();
  const router = useRouter();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const [isWorking, setWorking] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setWorking(true);
    setError(null);
    try {
      const mustChange = await signIn(username, password);
      if (mustChange) await router.navigate({ to: '/first-password', search: { next } as never });
      else await router.navigate({ href: safeNext(next), replace: true });
    } catch (problem) {
      setError(problem);
      setPassword('');
      setWorking(false);
    }
  };
  return (
    <SignInFrame title={t('signIn.title')}>
      <Form onSubmit={submit}>
        {error !== null && <Alert variant="danger" isInline title={explain(t, error)} />}
        {error === null && ended && <Alert variant="info" isInline title={t('signIn.ended')} />}
        <FormGroup label={t('signIn.username')} fieldId="username">
          <TextInput
            id="username"
            name="username"
            autoComplete="username"
            autoFocus
            isRequired
            value={username}
            onChange={(_, value) => setUsername(value)}
          />
        </FormGroup>
        <FormGroup label={t('signIn.password')} fieldId="password">
          <PasswordInput
            id="password"
            autoComplete="current-password"
            value={password}
            onChange={setPassword}
          />
        </FormGroup>
        <ActionGroup>
          <Button
            type="submit"
            variant="primary"
            isBlock
            isLoading={isWorking}
            isDisabled={isWorking || !username || !password}
          >
            {isWorking ? t('signIn.working') : t('signIn.submit')}
          </Button>
        </ActionGroup>
      </Form>
      <Providers next={next} />
    </SignInFrame>
  );
}

/** Where else one may sign in, if anywhere. */
function Providers({ next }: { next: string }) {
  const { t } = useTranslation();
  const { data = [] } = useGet<Provider[]>(`${IAM}/oauth/providers`);
  if (data.length === 0) return null;
  return (
    <>
      <Divider className="ks-or" aria-label={t('signIn.or')} />
      {data.map((provider) => (
        <Button
          key={provider.name}
          component="a"
          variant="secondary"
          isBlock
          href={`${provider.login_url}?next=${encodeURIComponent(safeNext(next))}`}
        >
          {provider.title}
        </Button>
      ))}
    </>
  );
}

function explain(t: TFunction, error: unknown): string {
  if (!(error instanceof ApiError)) return t('problem.title');
  if (error.reason === 'AccountLocked') return t('signIn.locked');
  if (error.status === 401) return t('signIn.wrong');
  if (error.status === 429) return t('signIn.tooMany', { wait: inWords(t, error.retryAfter) });
  if (error.passes) return t('problem.unreachable');
  return error.message;
}

function inWords(t: TFunction, seconds: number): string {
  return seconds < 60
    ? t('signIn.seconds', { count: seconds })
    : t('signIn.minutes', { count: Math.ceil(seconds / 60) });
}
