/** Objects of a project, as far as its pages read them. */
import type { Condition, KubeObject, Meta } from '@/api/objects';

export interface KeyRef {
  name?: string;
  key?: string;
  fieldPath?: string;
  resource?: string;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: {
    configMapKeyRef?: KeyRef;
    secretKeyRef?: KeyRef;
    fieldRef?: KeyRef;
    resourceFieldRef?: KeyRef;
  };
}

export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  ports?: { name?: string; containerPort: number; protocol?: string }[];
  env?: EnvVar[];
  envFrom?: { prefix?: string; configMapRef?: KeyRef; secretRef?: KeyRef }[];
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  imagePullPolicy?: string;
}

export interface Volume {
  name: string;
  persistentVolumeClaim?: { claimName: string };
  configMap?: { name: string };
  secret?: { secretName: string };
}

export interface PodSpec {
  nodeName?: string;
  serviceAccountName?: string;
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
}

export interface ContainerState {
  running?: { startedAt?: string };
  waiting?: { reason?: string; message?: string };
  terminated?: { reason?: string; message?: string; exitCode: number; finishedAt?: string };
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state?: ContainerState;
  lastState?: ContainerState;
  imageID?: string;
}

export interface PodStatus {
  phase?: string;
  reason?: string;
  message?: string;
  podIP?: string;
  hostIP?: string;
  startTime?: string;
  qosClass?: string;
  conditions?: Condition[];
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
}

export type Pod = KubeObject<PodSpec, PodStatus>;

export interface PodTemplate {
  metadata?: Partial<Meta>;
  spec: PodSpec;
}

export interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface WorkloadSpec {
  replicas?: number;
  paused?: boolean;
  selector?: Selector;
  template: PodTemplate;
  strategy?: { type?: string };
  updateStrategy?: { type?: string };
  serviceName?: string;
}

export interface WorkloadStatus {
  replicas?: number;
  readyReplicas?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
  observedGeneration?: number;
  currentRevision?: string;
  updateRevision?: string;
  desiredNumberScheduled?: number;
  numberAvailable?: number;
  numberReady?: number;
  updatedNumberScheduled?: number;
  conditions?: Condition[];
}

export type Workload = KubeObject<WorkloadSpec, WorkloadStatus>;

export interface JobSpec {
  completions?: number;
  parallelism?: number;
  backoffLimit?: number;
  suspend?: boolean;
  selector?: Selector;
  template: PodTemplate;
}

export interface JobStatus {
  active?: number;
  succeeded?: number;
  failed?: number;
  startTime?: string;
  completionTime?: string;
  conditions?: Condition[];
}

export type Job = KubeObject<JobSpec, JobStatus>;

export interface CronJobSpec {
  schedule: string;
  timeZone?: string;
  suspend?: boolean;
  concurrencyPolicy?: string;
  jobTemplate: { spec: JobSpec };
}

export type CronJob = KubeObject<
  CronJobSpec,
  { lastScheduleTime?: string; lastSuccessfulTime?: string; active?: { name: string }[] }
>;

export interface ServicePort {
  name?: string;
  port: number;
  targetPort?: number | string;
  nodePort?: number;
  protocol?: string;
}

export type Service = KubeObject<
  {
    type?: string;
    clusterIP?: string;
    externalName?: string;
    selector?: Record<string, string>;
    ports?: ServicePort[];
  },
  { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
>;

export interface IngressRule {
  host?: string;
  http?: {
    paths: {
      path?: string;
      pathType?: string;
      backend: { service?: { name: string; port?: { number?: number; name?: string } } };
    }[];
  };
}

export type Ingress = KubeObject<
  { ingressClassName?: string; rules?: IngressRule[]; tls?: { hosts?: string[]; secretName?: string }[] },
  { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } }
>;

export type Claim = KubeObject<
  {
    storageClassName?: string;
    accessModes?: string[];
    volumeName?: string;
    resources?: { requests?: { storage?: string } };
  },
  { phase?: string; capacity?: { storage?: string } }
>;

export type ConfigMap = KubeObject & { data?: Record<string, string>; binaryData?: Record<string, string> };
export type Secret = KubeObject & { type?: string; data?: Record<string, string> };
export type ServiceAccount = KubeObject & {
  secrets?: { name: string }[];
  imagePullSecrets?: { name: string }[];
};

export type ReplicaSet = KubeObject<WorkloadSpec, WorkloadStatus>;
export type ControllerRevision = KubeObject & {
  revision: number;
  data: { spec?: { template?: PodTemplate } };
};

export interface KubeEvent {
  metadata: Meta;
  type?: string;
  reason?: string;
  message?: string;
  count?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  eventTime?: string;
  series?: { count?: number; lastObservedTime?: string };
  involvedObject?: { kind?: string; name?: string; uid?: string; fieldPath?: string };
  source?: { component?: string };
  reportingComponent?: string;
}
