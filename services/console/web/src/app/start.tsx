/** Before anything shows: how the platform is called and which language is spoken. */
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { request } from '@/api/client';
import { queryClient } from '@/api/queries';
import { preferredLanguage, startWords } from '@/i18n';
import { router } from './router';
import { ConfigContext, type RuntimeConfig } from './session';

const UNKNOWN: RuntimeConfig = {
  title: 'KubeSphere',
  version: '',
  links: [],
  languages: ['en', 'zh'],
  components: {},
};

export async function start(): Promise<ReactNode> {
  const config = await request<RuntimeConfig>('/config').catch(() => UNKNOWN);
  await startWords(preferredLanguage(config.languages));
  return (
    <ConfigContext value={config}>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </ConfigContext>
  );
}
