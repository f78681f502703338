/** A field of a form that says what it is for, and what is wrong while one types. */
import {
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  TextArea,
  TextInput,
} from '@patternfly/react-core';

interface FieldProps {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  hint?: string;
  /** Why the value will not do; empty when it will. */
  problem?: string;
  isRequired?: boolean;
  isDisabled?: boolean;
  type?: 'text' | 'email' | 'number' | 'password';
  /** Several lines. */
  isLong?: boolean;
  autoFocus?: boolean;
}

export function Field(props: FieldProps) {
  const { id, value, problem, hint } = props;
  const said = value !== '' && problem ? problem : hint;
  const shared = {
    id,
    value,
    isRequired: props.isRequired,
    isDisabled: props.isDisabled,
    'aria-describedby': said ? `${id}-hint` : undefined,
    validated: value !== '' && problem ? ('error' as const) : ('default' as const),
  };
  return (
    <FormGroup label={props.label} fieldId={id} isRequired={props.isRequired}>
      {props.isLong ? (
        <TextArea {...shared} resizeOrientation="vertical" onChange={(_, next) => props.onChange(next)} />
      ) : (
        <TextInput
          {...shared}
          type={props.type ?? 'text'}
          autoFocus={props.autoFocus}
          autoComplete={props.type === 'password' ? 'new-password' : 'off'}
          onChange={(_, next) => props.onChange(next)}
        />
      )}
      {said && <Said id={`${id}-hint`} text={said} isError={value !== '' && Boolean(problem)} />}
    </FormGroup>
  );
}

interface ChoiceProps {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: { value: string; label: string }[];
  hint?: string;
}

export function Choice({ id, label, value, onChange, options, hint }: ChoiceProps) {
  return (
    <FormGroup label={label} fieldId={id}>
      <FormSelect id={id} value={value} onChange={(_, next) => onChange(next)}>
        {options.map((option) => (
          <FormSelectOption key={option.value} value={option.value} label={option.label} />
        ))}
      </FormSelect>
      {hint && <Said id={`${id}-hint`} text={hint} isError={false} />}
    </FormGroup>
  );
}

function Said({ id, text, isError }: { id: string; text: string; isError: boolean }) {
  return (
    <FormHelperText>
      <HelperText id={id}>
        <HelperTextItem variant={isError ? 'error' : 'default'}>{text}</HelperTextItem>
      </HelperText>
    </FormHelperText>
  );
}
