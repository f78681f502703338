/** Fields of forms that are more than a text: numbers, switches, names with values. */
import {
  Button,
  Checkbox,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  NumberInput,
  TextArea,
  TextInput,
} from '@patternfly/react-core';
import MinusCircleIcon from '@patternfly/react-icons/dist/esm/icons/minus-circle-icon';
import PlusCircleIcon from '@patternfly/react-icons/dist/esm/icons/plus-circle-icon';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface LabelledProps {
  id: string;
  label: string;
  help?: string;
  /** What is wrong with the value, or empty. */
  problem?: string;
  isRequired?: boolean;
  children: ReactNode;
}

function Labelled({ id, label, help, problem, isRequired, children }: LabelledProps) {
  return (
    <FormGroup label={label} fieldId={id} isRequired={isRequired}>
      {children}
      {(problem || help) && (
        <FormHelperText>
          <HelperText>
            <HelperTextItem variant={problem ? 'error' : 'default'}>{problem || help}</HelperTextItem>
          </HelperText>
        </FormHelperText>
      )}
    </FormGroup>
  );
}

interface NumberFieldProps extends Omit<LabelledProps, 'children'> {
  value: number;
  onChange: (value: number) => void;
  min?: number;
}

export function NumberField({ value, onChange, min = 0, ...field }: NumberFieldProps) {
  const { t } = useTranslation();
  const set = (next: number) => onChange(Math.max(min, Number.isFinite(next) ? Math.round(next) : min));
  return (
    <Labelled {...field}>
      <NumberInput
        value={value}
        min={min}
        onMinus={() => set(value - 1)}
        onPlus={() => set(value + 1)}
        onChange={(event) => set(Number((event.target as HTMLInputElement).value))}
        inputProps={{ id: field.id }}
        inputAriaLabel={field.label}
        minusBtnAriaLabel={t('project.scale.less')}
        plusBtnAriaLabel={t('project.scale.more')}
      />
    </Labelled>
  );
}

export function SwitchField({
  id,
  label,
  help,
  value,
  onChange,
}: {
  id: string;
  label: string;
  help?: string;
  value: boolean;
  onChange: (value: boolean) => void;
}) {
  return (
    <Checkbox
      id={id}
      label={label}
      description={help}
      isChecked={value}
      onChange={(_, next) => onChange(next)}
    />
  );
}

interface PairsFieldProps {
  id: string;
  label: string;
  keyLabel: string;
  valueLabel: string;
  help?: string;
  pairs: [string, string][];
  onChange: (pairs: [string, string][]) => void;
  isLong?: boolean;
}

/** Names and values, as many as one likes. */
export function PairsField({
  id,
  label,
  keyLabel,
  valueLabel,
  help,
  pairs,
  onChange,
  isLong,
}: PairsFieldProps) {
  const { t } = useTranslation();
  const change = (at: number, pair: [string, string]) =>
    onChange(pairs.map((each, index) => (index === at ? pair : each)));
  return (
    <FormGroup label={label} fieldId={pairs.length > 0 ? `${id}-0-key` : undefined} role="group">
      {pairs.map(([key, value], at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a key that is being typed is no name for a row
        <div key={at} className="ks-pair">
          <TextInput
            id={`${id}-${at}-key`}
            aria-label={`${keyLabel} ${at + 1}`}
            placeholder={keyLabel}
            value={key}
            onChange={(_, next) => change(at, [next, value])}
          />
          {isLong ? (
            <TextArea
              aria-label={`${valueLabel} ${at + 1}`}
              placeholder={valueLabel}
              value={value}
              autoResize
              onChange={(_, next) => change(at, [key, next])}
            />
          ) : (
            <TextInput
              aria-label={`${valueLabel} ${at + 1}`}
              placeholder={valueLabel}
              value={value}
              onChange={(_, next) => change(at, [key, next])}
            />
          )}
          <Button
            variant="plain"
            icon={<MinusCircleIcon />}
            aria-label={`${t('actions.remove')} ${at + 1}`}
            onClick={() => onChange(pairs.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      <Button
        variant="link"
        isInline
        icon={<PlusCircleIcon />}
        onClick={() => onChange([...pairs, ['', '']])}
      >
        {t('project.form.add')}
      </Button>
      {help && (
        <FormHelperText>
          <HelperText>
            <HelperTextItem>{help}</HelperTextItem>
          </HelperText>
        </FormHelperText>
      )}
    </FormGroup>
  );
}
