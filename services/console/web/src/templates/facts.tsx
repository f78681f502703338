/** What is known of an object, as names with values. */
import {
  Card,
  CardBody,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Label,
  LabelGroup,
} from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

export function Facts({ title, facts }: { title?: string; facts: [string, ReactNode][] }) {
  return (
    <Card isCompact>
      {title && <CardTitle component="h2">{title}</CardTitle>}
      <CardBody>
        <DescriptionList isCompact columnModifier={{ default: '1Col', lg: '2Col' }}>
          {facts.map(([name, value]) => (
            <DescriptionListGroup key={name}>
              <DescriptionListTerm>{name}</DescriptionListTerm>
              <DescriptionListDescription>{value || '–'}</DescriptionListDescription>
            </DescriptionListGroup>
          ))}
        </DescriptionList>
      </CardBody>
    </Card>
  );
}

const SHOWN = 6;

/** Labels of an object; `{}` is said to be none. */
export function Labels({ of }: { of: Record<string, string> | undefined }) {
  const { t } = useTranslation();
  const entries = Object.entries(of ?? {});
  if (entries.length === 0) return t('words.none');
  return (
    <LabelGroup numLabels={SHOWN}>
      {entries.map(([key, value]) => (
        <Label key={key} isCompact variant="outline">
          {value ? `${key}=${value}` : key}
        </Label>
      ))}
    </LabelGroup>
  );
}
