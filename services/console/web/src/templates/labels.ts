/** What PatternFly's parts say to those who hear them; it knows English alone. */
import { useTranslation } from 'react-i18next';

/** Of the buttons in a field that searches. */
export function useSearchLabels() {
  const { t } = useTranslation();
  return {
    submitSearchButtonLabel: t('labels.search'),
    resetButtonLabel: t('labels.clear'),
    previousNavigationButtonAriaLabel: t('labels.previous'),
    nextNavigationButtonAriaLabel: t('labels.next'),
  };
}

/** Of the buttons that turn pages, and of what is between them. */
export function usePaginationTitles() {
  const { t } = useTranslation();
  return {
    items: '',
    page: '',
    pages: '',
    ofWord: t('labels.of'),
    itemsPerPage: t('labels.perPage'),
    perPageSuffix: t('labels.perPageSuffix'),
    toFirstPageAriaLabel: t('labels.firstPage'),
    toPreviousPageAriaLabel: t('labels.previousPage'),
    toNextPageAriaLabel: t('labels.nextPage'),
    toLastPageAriaLabel: t('labels.lastPage'),
    currPageAriaLabel: t('labels.currentPage'),
    paginationAriaLabel: t('labels.pagination'),
  };
}
