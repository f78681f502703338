/** The editor in the colours and type of the rest, in either theme. */
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const token = (name: string) => `var(--pf-t--global--${name})`;

const look = EditorView.theme({
  '&': { height: '100%', fontSize: token('font--size--body--sm'), color: token('text--color--regular') },
  '&.cm-focused': { outline: `2px solid ${token('border--color--clicked')}`, outlineOffset: '-2px' },
  '.cm-scroller': { fontFamily: token('font--family--mono'), lineHeight: '1.6' },
  '.cm-gutters': {
    backgroundColor: token('background--color--secondary--default'),
    color: token('text--color--subtle'),
    borderRight: `1px solid ${token('border--color--default')}`,
  },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: token('background--color--primary--hover') },
  '.cm-cursor': { borderLeftColor: token('text--color--regular') },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: token('background--color--highlight--default'),
  },
  '.cm-tooltip, .cm-panels': {
    backgroundColor: token('background--color--floating--default'),
    color: token('text--color--regular'),
    border: `1px solid ${token('border--color--default')}`,
  },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: token('background--color--primary--clicked'),
    color: token('text--color--regular'),
  },
  '.cm-completionDetail': { color: token('text--color--subtle'), fontStyle: 'normal' },
  '.cm-completionInfo': { maxWidth: '28rem' },
  '.cm-foldPlaceholder': { backgroundColor: 'transparent', color: token('text--color--subtle') },
});

const colours = HighlightStyle.define([
  {
    tag: [tags.propertyName, tags.definition(tags.propertyName)],
    color: token('text--color--link--default'),
  },
  { tag: [tags.string, tags.content], color: token('text--color--regular') },
  { tag: tags.comment, color: token('text--color--subtle'), fontStyle: 'italic' },
  { tag: [tags.keyword, tags.bool, tags.number], color: token('color--nonstatus--purple--default') },
]);

export const editorLook = [look, syntaxHighlighting(colours)];
