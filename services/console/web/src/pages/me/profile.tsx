import { ActionGroup, Button, Form } from '@patternfly/react-core';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { put } from '@/api/client';
import { IAM } from '@/api/paths';
import { queryClient } from '@/api/queries';
import { SESSION_QUERY } from '@/app/current-session';
import { notify, notifyError } from '@/app/notices';
import { useProfile } from '@/app/session';
import { Field } from '@/templates/field';

export function ProfileForm() {
  const { t } = useTranslation();
  const profile = useProfile();
  const [email, setEmail] = useState(profile.email);
  const [description, setDescription] = useState(profile.description ?? '');
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      await put(`${IAM}/users/${profile.username}`, { username: profile.username, email, description });
      notify('success', t('me.saved'));
      await queryClient.refetchQueries({ queryKey: SESSION_QUERY.queryKey });
    } catch (error) {
      notifyError(t('problem.title'), error);
    }
  };
  return (
    <Form onSubmit={save} isWidthLimited>
      <Field
        id="me-email"
        label={t('words.email')}
        type="email"
        value={email}
        onChange={setEmail}
        isRequired
      />
      <Field
        id="me-description"
        label={t('words.description')}
        value={description}
        onChange={setDescription}
        isLong
      />
      <ActionGroup>
        <Button type="submit">{t('actions.save')}</Button>
      </ActionGroup>
    </Form>
  );
}
