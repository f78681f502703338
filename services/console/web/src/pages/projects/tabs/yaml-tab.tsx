/** The object as YAML, and changing it so. */
import { useQueryClient } from '@tanstack/react-query';
import type { KubeObject } from '@/api/objects';
import { resourcesPath } from '@/api/paths';
import { refresh } from '@/api/queries';
import { YamlPanel } from '@/templates/yaml/yaml-panel';
import { objectPath } from '../actions/changes';
import type { ProjectKind } from '../kind';

export function YamlTab({
  kind,
  object,
  mayEdit,
}: {
  kind: ProjectKind;
  object: KubeObject;
  mayEdit: boolean;
}) {
  const client = useQueryClient();
  const path = objectPath(kind, object);
  const onSaved = (saved: KubeObject) => {
    client.setQueryData([path], saved);
    void refresh(resourcesPath(kind.name, object.metadata.namespace));
  };
  return <YamlPanel object={object} path={path} mayEdit={mayEdit} onSaved={onSaved} />;
}
