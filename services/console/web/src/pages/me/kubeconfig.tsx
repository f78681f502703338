import {
  ActionList,
  ActionListItem,
  Button,
  CodeBlock,
  CodeBlockCode,
  Content,
} from '@patternfly/react-core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { requestText } from '@/api/client';
import { IAM } from '@/api/paths';
import { notifyError } from '@/app/notices';
import { useProfile } from '@/app/session';
import { save } from '@/templates/export';

/** One's own kubeconfig; it is fetched when it is asked for, and kept nowhere. */
export function Kubeconfig() {
  const { t } = useTranslation();
  const { username } = useProfile();
  const [text, setText] = useState('');
  const [isWorking, setWorking] = useState(false);
  const fetchThen = async (use: (content: string) => void) => {
    setWorking(true);
    try {
      use(await requestText(`${IAM}/users/${username}/kubeconfig`));
    } catch (error) {
      notifyError(t('me.kubeconfig'), error);
    } finally {
      setWorking(false);
    }
  };
  return (
    <>
      <Content component="p">{t('me.kubeconfigAbout')}</Content>
      <ActionList>
        <ActionListItem>
          <Button
            isLoading={isWorking}
            onClick={() => void fetchThen((content) => save('kubeconfig.yaml', content, 'application/yaml'))}
          >
            {t('actions.download')}
          </Button>
        </ActionListItem>
        <ActionListItem>
          <Button variant="secondary" isDisabled={isWorking} onClick={() => void fetchThen(setText)}>
            {t('me.kubeconfigShow')}
          </Button>
        </ActionListItem>
      </ActionList>
      {text && (
        <CodeBlock>
          <CodeBlockCode>{text}</CodeBlockCode>
        </CodeBlock>
      )}
    </>
  );
}
