import { useEffect } from 'preact/hooks';

const REACHABLE = 'a[href], button:not(:disabled), input, select, [tabindex="0"]';

/**
 * Keeps whoever uses the keyboard on the page. What is drawn changes by itself: a link that has the focus may go away, and the next Tab would begin
 * at the top of the page. The focus goes to the first control of what is left around it. Dialogues and long lists know better, and do it themselves.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    let around: readonly Element[] = [];
    const remember = ({ target }: FocusEvent): void => {
      around = target instanceof Element ? ancestorsOf(target) : [];
    };
    const look = (): void => {
      const isLost = document.activeElement === document.body && around[0]?.isConnected === false;
      if (!isLost) return;
      const left = around.find((one) => one.isConnected);
      around = [];
      left?.querySelector<HTMLElement>(REACHABLE)?.focus();
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    addEventListener('focusin', remember);
    return () => {
      observer.disconnect();
      removeEventListener('focusin', remember);
    };
  }, []);
}

/** From an element up to the main part of the page; none where a dialogue or something else is on the way. */
function ancestorsOf(element: Element): readonly Element[] {
  const found: Element[] = [];
  for (let one: Element | null = element; one !== null; one = one.parentElement) {
    if (one instanceof HTMLDialogElement) return [];
    found.push(one);
    if (one.id === 'main') return found;
  }
  return [];
}
