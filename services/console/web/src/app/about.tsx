/** What this is, and which version of it. */
import { Modal, ModalBody, ModalHeader } from '@patternfly/react-core';
import { useTranslation } from 'react-i18next';
import { useGet } from '@/api/queries';
import { Facts } from '@/templates/facts';
import { useConfig } from './session';

export function About({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { title, version, components } = useConfig();
  const kubernetes = useGet<{ gitVersion: string }>('/version');
  const enabled = Object.entries(components).filter(([, isEnabled]) => isEnabled);
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="about-title">
      <ModalHeader title={title} labelId="about-title" description={t('app.aboutText')} />
      <ModalBody>
        <Facts
          facts={[
            [t('app.consoleVersion'), version],
            ['Kubernetes', kubernetes.data?.gitVersion],
            [t('platform.components.enabled'), enabled.map(([name]) => name).join(', ')],
          ]}
        />
      </ModalBody>
    </Modal>
  );
}
