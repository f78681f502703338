/** An editor of YAML that knows the cluster's kinds. */
import { closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from '@codemirror/language';
import { lintGutter } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { styleNonce } from '@/theme/nonce';
import { kubernetesAssist } from './assist';
import { editorLook } from './look';

interface YamlEditorProps {
  value: string;
  onChange?: (value: string) => void;
  isReadOnly?: boolean;
  /** Names the editor for screen readers. */
  label: string;
}

const reading: Extension = [
  lineNumbers(),
  foldGutter(),
  highlightSelectionMatches(),
  drawSelection(),
  bracketMatching(),
  search({ top: true }),
  yaml(),
  keymap.of([...searchKeymap, ...foldKeymap]),
];

const writing: Extension = [
  history(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  indentOnInput(),
  closeBrackets(),
  lintGutter(),
  kubernetesAssist(),
  keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
];

export function YamlEditor({ value, onChange, isReadOnly = !onChange, label }: YamlEditorProps) {
  const { t } = useTranslation();
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const told = useRef(onChange);
  told.current = onChange;
  const first = useRef(value);
  useEffect(() => {
    if (!host.current) return;
    const access = new Compartment();
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: first.current,
        extensions: [
          EditorView.cspNonce.of(styleNonce()),
          editorLook,
          reading,
          isReadOnly ? [] : writing,
          access.of([EditorState.readOnly.of(isReadOnly), EditorView.editable.of(!isReadOnly)]),
          EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) told.current?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [isReadOnly, label]);
  useEffect(() => {
    first.current = value;
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: smallest(editor.state.doc.toString(), value) });
  }, [value]);
  return (
    <div className="ks-yaml">
      <div ref={host} className="ks-yaml-host" />
      {!isReadOnly && <span className="pf-v6-screen-reader">{t('project.yaml.leave')}</span>}
    </div>
  );
}

/** The one change that makes `after` of `before`: the cursor stays where nothing has changed. */
export function smallest(before: string, after: string): { from: number; to: number; insert: string } {
  let from = 0;
  const shorter = Math.min(before.length, after.length);
  while (from < shorter && before[from] === after[from]) from++;
  let end = 0;
  while (end < shorter - from && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}
