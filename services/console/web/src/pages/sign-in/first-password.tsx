import {
  ActionGroup,
  Alert,
  Button,
  Content,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
} from '@patternfly/react-core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { put } from '@/api/client';
import { IAM } from '@/api/paths';
import { SESSION_QUERY, signIn } from '@/app/current-session';
import { useUrlState } from '@/app/url-state';
import { SignInFrame } from './frame';
import { safeNext } from './next';
import { PasswordInput } from './password-input';

/** The password of the installation serves for setting another, and for nothing else. */
export function FirstPasswordPage() {
  const { t } = useTranslation();
  const router = useRouter();
  const [{ next = '/' }] = useUrlState();
  const { user } = useSuspenseQuery(SESSION_QUERY).data;
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const [error, setError] = useState('');
  const [isWorking, setWorking] = useState(false);
  const differs = repeated !== '' && repeated !== password;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!user) return;
    setWorking(true);
    setError('');
    try {
      await put(`${IAM}/users/${user.username}`, {
        username: user.username,
        email: user.email,
        current_password: current,
        password,
      });
      await signIn(user.username, password);
      await router.navigate({ href: safeNext(next), replace: true });
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : String(problem));
      setWorking(false);
    }
  };
  return (
    <SignInFrame title={t('firstPassword.title')}>
      <Content component="p">{t('firstPassword.body')}</Content>
      <Form onSubmit={submit}>
        {error && <Alert variant="danger" isInline title={error} />}
        <FormGroup label={t('firstPassword.current')} fieldId="current">
          <PasswordInput id="current" autoComplete="current-password" value={current} onChange={setCurrent} />
        </FormGroup>
        <FormGroup label={t('firstPassword.next')} fieldId="new">
          <PasswordInput id="new" autoComplete="new-password" value={password} onChange={setPassword} />
          <FormHelperText>
            <HelperText>
              <HelperTextItem>{t('firstPassword.rule')}</HelperTextItem>
            </HelperText>
          </FormHelperText>
        </FormGroup>
        <FormGroup label={t('firstPassword.repeat')} fieldId="repeat">
          <PasswordInput
            id="repeat"
            autoComplete="new-password"
            value={repeated}
            onChange={setRepeated}
            isInvalid={differs}
          />
          {differs && (
            <FormHelperText>
              <HelperText>
                <HelperTextItem variant="error">{t('firstPassword.differ')}</HelperTextItem>
              </HelperText>
            </FormHelperText>
          )}
        </FormGroup>
        <ActionGroup>
          <Button
            type="submit"
            isBlock
            isLoading={isWorking}
            isDisabled={isWorking || !current || !password || password !== repeated}
          >
            {t('firstPassword.submit')}
          </Button>
        </ActionGroup>
      </Form>
    </SignInFrame>
  );
}
