import { useEffect, useRef } from 'preact/hooks';
import type { JSX } from 'preact';

/** What is asked before something is done. */
export interface Question {
  /** The question. */
  readonly title: string;
  /** What will happen. */
  readonly text: string;
  /** The word on the button. */
  readonly verb: string;
  /** Whether it cannot be undone here. */
  readonly isFinal?: boolean;
}

/** Asks, over the page. Escape, or a click beside it, is a no. */
export function Confirm({
  question,
  onAnswer,
}: {
  readonly question: Question;
  readonly onAnswer: (isYes: boolean) => void;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  const { title, text, verb, isFinal } = question;
  return (
    <dialog
      ref={dialog}
      aria-labelledby="question"
      aria-describedby="consequence"
      onClose={() => onAnswer(false)}
      onClick={(event) => {
        if (event.target === dialog.current) onAnswer(false);
      }}
    >
      <div class="sheet">
        <h2 id="question">{title}</h2>
        <p id="consequence">{text}</p>
        <div class="buttons">
          <button type="button" onClick={() => onAnswer(false)}>
            Cancel
          </button>
          <button
            type="button"
            class={isFinal === true ? 'danger' : 'primary'}
            onClick={() => onAnswer(true)}
          >
            {verb}
          </button>
        </div>
      </div>
    </dialog>
  );
}
