/** The card in the middle that everything before the shell stands in. */
import { Card, CardBody, Title } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { useConfig } from '@/app/session';
import { useTitle } from '@/app/title';
import mark from '@/theme/mark.svg';

export function SignInFrame({ title, children }: { title: string; children: ReactNode }) {
  const config = useConfig();
  useTitle(title);
  return (
    <main className="ks-sign-in">
      <Card className="ks-sign-in-card" isLarge>
        <CardBody>
          <div className="ks-sign-in-brand">
            <img src={mark} alt="" className="ks-mark" />
            <span className="ks-title">{config.title}</span>
          </div>
          <Title headingLevel="h1" size="xl">
            {title}
          </Title>
          {children}
        </CardBody>
      </Card>
    </main>
  );
}
