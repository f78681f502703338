import { ActionGroup, Alert, Button, Content, Form } from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { put } from '@/api/client';
import { IAM } from '@/api/paths';
import { signIn } from '@/app/current-session';
import { problemText } from '@/app/errors';
import { notify } from '@/app/notices';
import { useProfile } from '@/app/session';
import { Field } from '@/templates/field';

/** Changes the password; the session that did so is begun anew, all others end. */
export function PasswordForm() {
  const { t } = useTranslation();
  const { username, email } = useProfile();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const [error, setError] = useState('');
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setError('');
    try {
      await put(`${IAM}/users/${username}`, { username, email, current_password: current, password });
      await signIn(username, password);
      notify('success', t('me.changed'));
      for (const clear of [setCurrent, setPassword, setRepeated]) clear('');
    } catch (problem) {
      setError(problemText(problem));
    }
  };
  return (
    <Form onSubmit={save} isWidthLimited>
      <Content component="p">{t('me.passwordAbout')}</Content>
      {error && <Alert isInline variant="danger" title={error} />}
      <Field
        id="me-current"
        label={t('me.currentPassword')}
        type="password"
        value={current}
        onChange={setCurrent}
        isRequired
      />
      <Field
        id="me-new"
        label={t('firstPassword.next')}
        type="password"
        value={password}
        onChange={setPassword}
        hint={t('firstPassword.rule')}
        isRequired
      />
      <Field
        id="me-repeat"
        label={t('firstPassword.repeat')}
        type="password"
        value={repeated}
        onChange={setRepeated}
        problem={repeated === password ? '' : t('firstPassword.differ')}
        isRequired
      />
      <ActionGroup>
        <Button type="submit" isDisabled={!current || !password || password !== repeated}>
          {t('me.changePassword')}
        </Button>
      </ActionGroup>
    </Form>
  );
}
