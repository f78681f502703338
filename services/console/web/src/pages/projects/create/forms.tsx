/** The form of each kind that has one; the others are written as YAML. */
import type { ComponentType } from 'react';
import type { KindName } from '../place';
import { ConfigMapForm, SecretForm } from './config-forms';
import { RouteForm, ServiceForm } from './network-forms';
import { VolumeForm } from './volume-form';
import { WorkloadForm } from './workload-form';

export interface FieldsProps {
  text: string;
  onText: (text: string) => void;
}

export const FORMS: Partial<Record<KindName, ComponentType<FieldsProps>>> = {
  deployments: WorkloadForm,
  statefulsets: WorkloadForm,
  daemonsets: WorkloadForm,
  jobs: WorkloadForm,
  cronjobs: WorkloadForm,
  services: ServiceForm,
  ingresses: RouteForm,
  persistentvolumeclaims: VolumeForm,
  configmaps: ConfigMapForm,
  secrets: SecretForm,
};
