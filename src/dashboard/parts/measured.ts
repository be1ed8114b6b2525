import { useLayoutEffect } from 'preact/hooks';

/** What of a long list is in sight, in pixels. */
export interface View {
  /** How far it is scrolled. */
  readonly top: number;
  /** Height of what is in sight. */
  readonly height: number;
  /** Of each row, as the style sheet has it. */
  readonly rowHeight: number;
  /** Width of the scroll bar, beside which the headings have nothing below them. */
  readonly bar: number;
}

/** Measures a list now and whenever it is scrolled or its size changes. */
export function useMeasured(
  box: { readonly current: HTMLElement | null },
  setView: (view: View) => void,
): void {
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    let before = 0;
    const read = (): void => {
      const text = getComputedStyle(element).getPropertyValue('--row');
      const rowHeight = Number.parseFloat(text) || 44;
      const bar = element.offsetWidth - element.clientWidth;
      const { scrollTop, clientHeight: height } = element;
      const isTaller = before !== 0 && before !== rowHeight;
      const top = isTaller ? (scrollTop / before) * rowHeight : scrollTop;
      before = rowHeight;
      setView({ top, height, rowHeight, bar });
    };
    read();
    element.addEventListener('scroll', read, { passive: true });
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', read);
      observer.disconnect();
    };
  }, []);
}
