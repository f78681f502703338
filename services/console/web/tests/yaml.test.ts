import { describe, expect, it } from 'vitest';
import {
  manifestOf,
  readManifest,
  withDocument,
  withoutDocument,
  withValue,
} from '@/templates/yaml/document';
import { placeAt, typeAt } from '@/templates/yaml/place';
import { comparable, editable, MASK, masked, toSend } from '@/templates/yaml/shown';
import { unknownFields } from '@/templates/yaml/unknown-fields';

const WEB = `# ours
apiVersion: v1
kind: ConfigMap
metadata:
  name: web # short
data:
  one: "1"
`;

describe('a manifest', () => {
  it('keeps comments, order and quotes where a value changes', () => {
    expect(withValue(WEB, 0, ['data', 'one'], '2')).toBe(WEB.replace('"1"', '"2"'));
    expect(withValue(WEB, 0, ['metadata', 'name'], 'shop')).toBe(WEB.replace('name: web', 'name: shop'));
  });

  it('gets what is missing on the way, and loses maps that became empty', () => {
    const labelled = withValue(WEB, 0, ['metadata', 'labels', 'app'], 'web');
    expect(readManifest(labelled).objects[0]?.metadata.labels).toEqual({ app: 'web' });
    expect(labelled).toContain('  labels:\n    app: web\n');
    expect(withValue(labelled, 0, ['metadata', 'labels', 'app'], undefined)).toBe(WEB);
  });

  it('takes over maps and lists one by one', () => {
    const text = 'spec:\n  a: 1 # stays\n  b: 2\n  list:\n    - x # stays\n    - y\n';
    const next = withValue(text, 0, ['spec'], { a: 1, list: ['x'], c: 3 });
    expect(readManifest(next).objects[0]).toEqual({ spec: { a: 1, list: ['x'], c: 3 } });
    expect(next).toContain('a: 1 # stays');
    expect(next).toContain('- x # stays');
  });

  it('is one of several, of which only one changes', () => {
    const two = withDocument(WEB, { kind: 'Secret', metadata: { name: 's' } });
    expect(readManifest(two).objects.map((each) => each.kind)).toEqual(['ConfigMap', 'Secret']);
    expect(withValue(two, 1, ['metadata', 'name'], 't')).toBe(two.replace('name: s\n', 'name: t\n'));
    expect(withoutDocument(two, 1).trimEnd()).toBe(WEB.trimEnd());
    expect(withDocument('', { a: 1 })).toBe('a: 1\n');
  });

  it('writes the same value twice, without aliases', () => {
    const labels = { app: 'web' };
    expect(manifestOf({ one: labels, other: labels })).toBe('one:\n  app: web\nother:\n  app: web\n');
    expect(withValue('a: 1\n', 0, ['b'], [labels, labels])).not.toContain('&');
  });

  it('with an error says where, and is left as it is', () => {
    const broken = 'a: [1\nb: 2\n';
    const { objects, problems } = readManifest(broken);
    expect(objects).toEqual([]);
    expect(problems[0]?.message).not.toBe('');
    expect(problems[0]?.from).toBeGreaterThan(0);
    expect(withValue(broken, 0, ['b'], 3)).toBe(broken);
  });

  it.each(['just text', '- a\n- b\n', '42'])('is no object: %j', (text) => {
    expect(readManifest(text)).toMatchObject({ objects: [], problems: [{ message: 'No object' }] });
  });

  it('may be empty', () => expect(readManifest('')).toEqual({ objects: [], problems: [] }));
});

/** The place of `|` in a text. */
const at = (text: string) => placeAt(text.replace('|', ''), text.indexOf('|'));

describe('where one writes', () => {
  it.each([
    ['meta|', [], 'meta', false],
    ['metadata:\n  na|', ['metadata'], 'na', false],
    ['spec:\n  containers:\n    - na|', ['spec', 'containers', '[]'], 'na', false],
    ['spec:\n  containers:\n  - name: a\n    ima|', ['spec', 'containers', '[]'], 'ima', false],
    ['spec:\n  containers:\n  - name: a\n  pau|', ['spec'], 'pau', false],
    ['spec:\n  type: Clu|', ['spec'], 'type', true],
  ])('%j is at %j', (text, path, word, inValue) => {
    expect(at(text)).toMatchObject({ path, word, inValue });
  });

  it('knows what is there already', () => {
    expect(at('spec:\n  a: 1\n  b:\n    c: 1\n  |').siblings.sort()).toEqual(['a', 'b']);
  });

  it('is in the document around it', () => {
    const text = 'apiVersion: v1\nkind: Service\n---\napiVersion: apps/v1\nkind: "Deployment" # ours\n';
    expect(typeAt(text, 3)).toEqual({ apiVersion: 'v1', kind: 'Service' });
    expect(typeAt(text, text.length)).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment' });
    expect(placeAt(text, text.length).documentStart).toBe(text.indexOf('---') + 4);
  });
});

const SECRET = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 's',
    namespace: 'demo',
    uid: 'u',
    resourceVersion: '7',
    managedFields: [],
    annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"p":"aHVudGVy"}}' },
  },
  data: { p: 'aHVudGVy' },
  status: { phase: 'x' },
};

describe('an object as it is edited', () => {
  it('has nothing that only the server keeps', () => {
    const text = editable(SECRET);
    for (const gone of ['uid', 'resourceVersion', 'managedFields', 'status'])
      expect(text).not.toContain(gone);
    expect(text).toContain('namespace: demo');
    expect(comparable(SECRET)).not.toContain('annotations');
  });

  it('goes back with the version that it was made from', () => {
    const edited = { kind: 'Secret', metadata: { name: 's' } };
    expect(toSend(edited, SECRET).metadata).toEqual({ name: 's', resourceVersion: '7', uid: 'u' });
  });

  it('shows no value of a secret, wherever it stands', () => {
    const shown = JSON.stringify(masked(SECRET));
    expect(shown).not.toContain('aHVudGVy');
    expect(shown).toContain(MASK);
    expect(masked({ ...SECRET, kind: 'ConfigMap' })).toMatchObject({ data: SECRET.data });
  });
});

describe('a field that its kind does not have', () => {
  const document = {
    components: {
      schemas: {
        spec: { properties: { replicas: {}, items: { items: { properties: { name: {} } } } } },
      },
    },
  };
  const schema = {
    properties: {
      spec: { $ref: '#/components/schemas/spec' },
      labels: { additionalProperties: { type: 'string' }, properties: {} },
      free: { 'x-kubernetes-preserve-unknown-fields': true },
    },
  };

  it('is found at any depth', () => {
    const value = {
      spec: { replica: 1, items: [{ name: 'a' }, { nam: 'b' }] },
      labels: { any: 'x' },
      free: { x: 1 },
    };
    expect(unknownFields(document, schema, value).map((each) => each.path.join('.'))).toEqual([
      'spec.replica',
      'spec.items.1.nam',
    ]);
  });

  it('is none where nobody knows the kind', () => {
    expect(unknownFields(document, undefined, { a: 1 })).toEqual([]);
  });
});
