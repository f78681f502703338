import { Button, InputGroup, InputGroupItem, TextInput } from '@patternfly/react-core';
import EyeIcon from '@patternfly/react-icons/dist/esm/icons/eye-icon';
import EyeSlashIcon from '@patternfly/react-icons/dist/esm/icons/eye-slash-icon';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

interface PasswordInputProps {
  id: string;
  autoComplete: 'current-password' | 'new-password';
  value: string;
  onChange: (value: string) => void;
  isInvalid?: boolean;
}

/** A password that can be looked at while it is typed. */
export function PasswordInput({ id, autoComplete, value, onChange, isInvalid }: PasswordInputProps) {
  const { t } = useTranslation();
  const [isShown, setShown] = useState(false);
  return (
    <InputGroup>
      <InputGroupItem isFill>
        <TextInput
          id={id}
          name={id}
          type={isShown ? 'text' : 'password'}
          autoComplete={autoComplete}
          isRequired
          value={value}
          validated={isInvalid ? 'error' : 'default'}
          onChange={(_, next) => onChange(next)}
        />
      </InputGroupItem>
      <InputGroupItem>
        <Button
          variant="control"
          aria-label={isShown ? t('signIn.hidePassword') : t('signIn.showPassword')}
          aria-controls={id}
          onClick={() => setShown(!isShown)}
          icon={isShown ? <EyeSlashIcon /> : <EyeIcon />}
        />
      </InputGroupItem>
    </InputGroup>
  );
}
