/** A short form over the page that it is about; what the server says is wrong stays beside what was typed. */
import { Alert, Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import type { FormEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useSubmission } from './submission';

interface FormDialogProps {
  title: string;
  about?: string;
  submit: string;
  isValid: boolean;
  run: () => Promise<unknown>;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({ title, about, submit, isValid, run, onClose, children }: FormDialogProps) {
  const { t } = useTranslation();
  const { error, isWorking, send } = useSubmission(run, onClose);
  const submitted = (event: FormEvent) => {
    event.preventDefault();
    if (isValid) void send();
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="form-title">
      <ModalHeader title={title} description={about} labelId="form-title" />
      <ModalBody>
        <Form id="dialog-form" onSubmit={submitted}>
          {error && <Alert isInline variant="danger" title={error} />}
          {children}
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="dialog-form" isLoading={isWorking} isDisabled={!isValid || isWorking}>
          {submit}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t('actions.cancel')}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
