/** How workloads are reached: services, and routes from outside. */
import type { TFunction } from 'i18next';
import { CLUSTER_KINDS } from '@/api/cluster';
import { RouterLink } from '@/app/link';
import { createdColumn } from '@/templates/columns';
import { Labels } from '@/templates/facts';
import { labelsColumn, nameColumn } from '../columns';
import { projectKind } from '../kind';
import type { Ingress, Service, ServicePort } from '../objects';
import type { Project } from '../place';

const portText = ({ port, targetPort, nodePort, protocol = 'TCP' }: ServicePort) =>
  `${port}${targetPort !== undefined && targetPort !== port ? ` → ${targetPort}` : ''}/${protocol}${
    nodePort ? ` (${nodePort})` : ''
  }`;
const ports = (each: Service) => (each.spec?.ports ?? []).map(portText).join(', ') || '–';
const outside = (each: Service | Ingress) =>
  (each.status?.loadBalancer?.ingress ?? []).map((one) => one.ip ?? one.hostname ?? '').join(', ');
const address = (each: Service) => {
  const ip = each.spec?.clusterIP;
  return each.spec?.externalName ?? (ip === 'None' || !ip ? '–' : ip);
};

export const services = projectKind<Service>({
  name: 'services',
  ref: CLUSTER_KINDS.services,
  permission: 'services',
  creatable: true,
  columns: (t, project) => [
    nameColumn(t, project, 'services'),
    { key: 'type', title: t('words.type'), cell: (each) => each.spec?.type ?? '–' },
    { key: 'address', title: t('project.words.address'), text: address, cell: address },
    { key: 'ports', title: t('project.words.ports'), text: ports, cell: ports },
    labelsColumn(t),
    createdColumn(t),
  ],
  facts: (each, t) => [
    { term: t('words.type'), value: each.spec?.type ?? '–' },
    { term: t('project.words.address'), value: address(each) },
    { term: t('project.words.dnsName'), value: `${each.metadata.name}.${each.metadata.namespace}.svc` },
    { term: t('project.words.external'), value: outside(each) || '–' },
    { term: t('project.words.ports'), value: ports(each) },
    { term: t('project.words.selector'), value: <Labels of={each.spec?.selector} /> },
  ],
  tabs: ['pods', 'events', 'yaml'],
  actions: [],
  selectorOf: (each) => (each.spec?.selector ? { matchLabels: each.spec.selector } : undefined),
  example: (namespace) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'my-app', namespace },
    spec: { selector: { app: 'my-app' }, ports: [{ name: 'http', port: 80, targetPort: 80 }] },
  }),
});

const hosts = (each: Ingress) => (each.spec?.rules ?? []).map((rule) => rule.host || '*').join(', ') || '–';

function Rules({ ingress, project }: { ingress: Ingress; project: Project }) {
  const encrypted = new Set((ingress.spec?.tls ?? []).flatMap((each) => each.hosts ?? []));
  const lines = (ingress.spec?.rules ?? []).flatMap((rule) =>
    (rule.http?.paths ?? []).map((path) => ({
      host: rule.host ?? '*',
      path: path.path ?? '/',
      service: path.backend.service,
    })),
  );
  if (lines.length === 0) return <span>–</span>;
  return (
    <ul className="ks-plain-list">
      {lines.map(({ host, path, service }) => (
        <li key={`${host}${path}`}>
          <code>{`${encrypted.has(host) ? 'https' : 'http'}://${host}${path}`}</code> →{' '}
          {service ? (
            <RouterLink to={project.objectPath('services', service.name)}>
              {`${service.name}:${service.port?.number ?? service.port?.name ?? ''}`}
            </RouterLink>
          ) : (
            '–'
          )}
        </li>
      ))}
    </ul>
  );
}

const tls = (each: Ingress, t: TFunction) =>
  (each.spec?.tls ?? []).length > 0 ? t('status.yes') : t('status.no');

export const ingresses = projectKind<Ingress>({
  name: 'ingresses',
  ref: CLUSTER_KINDS.ingresses,
  permission: 'routes',
  creatable: true,
  columns: (t, project) => [
    nameColumn(t, project, 'ingresses'),
    { key: 'hosts', title: t('project.words.hosts'), text: hosts, cell: hosts },
    {
      key: 'rules',
      title: t('project.words.leadsTo'),
      cell: (each) => <Rules ingress={each} project={project} />,
    },
    { key: 'tls', title: 'TLS', cell: (each) => tls(each, t) },
    createdColumn(t),
  ],
  facts: (each, t, project) => [
    { term: t('project.words.leadsTo'), value: <Rules ingress={each} project={project} /> },
    { term: t('project.words.class'), value: each.spec?.ingressClassName ?? '–' },
    { term: t('project.words.external'), value: outside(each) || '–' },
    { term: 'TLS', value: tls(each, t) },
  ],
  tabs: ['events', 'yaml'],
  actions: [],
  example: (namespace) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'my-app', namespace },
    spec: {
      rules: [
        {
          host: 'my-app.example.com',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: 'my-app', port: { number: 80 } } },
              },
            ],
          },
        },
      ],
    },
  }),
});
