import { useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { instantText } from '../browser.ts';
import { ApiError, sentence } from '../data/api.ts';
import { useNow } from '../data/hooks.ts';
import { useLetters, type Letters } from '../data/letters.ts';
import type { DeadLetter, Webhook } from '../data/types.ts';
import { Shape } from '../parts/mark.tsx';
import { tell } from '../parts/toasts.tsx';
import { connectionAddress } from '../route.ts';
import { counted, eventName, eventTone, fromNow } from '../words.ts';

/** Receivers of webhooks: what is on its way to them, and what they could not be told. */
export function WebhooksScreen(): JSX.Element {
  const letters = useLetters();
  const { known, error } = letters;
  if (known === undefined) return <p class="quiet loading">{error?.message ?? 'Reading …'}</p>;
  const { webhooks, deadLetters } = known;
  return (
    <section>
      <p class="quiet crumb">
        <a href="#/events">Events</a>
      </p>
      <h1>Webhooks</h1>
      {webhooks.length === 0 && <p>No receiver is named in the settings.</p>}
      <div class="groups">
        {webhooks.map((webhook) => (
          <Receiver key={webhook.name} webhook={webhook} />
        ))}
      </div>
      {deadLetters.length > 0 && <List letters={letters} shown={deadLetters} />}
    </section>
  );
}

function Receiver({
  webhook: { name, waiting, dead },
}: {
  readonly webhook: Webhook;
}): JSX.Element {
  return (
    <article class="card">
      <h2>
        <Shape standing={dead > 0 ? 'failing' : 'well'} /> <span class="wrap">{name}</span>
      </h2>
      <dl class="facts">
        <dt>On their way</dt>
        <dd class="num">{counted(waiting, 'event')}</dd>
        <dt>Given up</dt>
        <dd class="num">{counted(dead, 'event')}</dd>
      </dl>
    </article>
  );
}

interface ListProps {
  readonly letters: Letters;
  readonly shown: readonly DeadLetter[];
}

function List({ letters, shown }: ListProps): JSX.Element {
  const [busy, setBusy] = useState<string>();
  const now = useNow(10_000);
  const list = useRef<HTMLTableSectionElement>(null);
  const run = async (what: string, work: () => Promise<void>): Promise<void> => {
    if (busy !== undefined) return;
    setBusy(what);
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      tell(error.message, true);
    } finally {
      setBusy(undefined);
    }
  };
  const again = (letter: DeadLetter, row: number): Promise<void> =>
    run(letter.id, async () => {
      await letters.retry(letter);
      tell(`${letter.webhook} is told again.`);
      // Whoever uses the keyboard goes on at the letter that has taken the place of this one.
      const buttons = list.current?.querySelectorAll('button') ?? [];
      buttons[Math.min(row, buttons.length - 1)]?.focus();
    });
  return (
    <section class="card" aria-labelledby="dead-title">
      <h2 id="dead-title">What could not be told</h2>
      <p class="quiet">
        These were tried for days, or their receiver said that it is gone. When it works again, have
        them sent once more; they come after what has happened since.
      </p>
      <table class="history letters">
        <caption class="quiet">The newest first</caption>
        <thead>
          <tr>
            {['Event', 'Receiver', 'Attempts', 'Why', 'Since'].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
            <td />
          </tr>
        </thead>
        <tbody ref={list}>
          {shown.map((letter, row) => (
            <Letter
              key={letter.id}
              letter={letter}
              now={now}
              isBusy={busy === letter.id}
              onAgain={() => void again(letter, row)}
            />
          ))}
        </tbody>
      </table>
      {letters.error !== undefined && <p class="banner">{letters.error.message}</p>}
      {(letters.known?.next ?? null) !== null && (
        <button
          type="button"
          disabled={busy === 'more'}
          onClick={() => void run('more', letters.more)}
        >
          Show more
        </button>
      )}
    </section>
  );
}

interface LetterProps {
  readonly letter: DeadLetter;
  readonly now: number;
  readonly isBusy: boolean;
  readonly onAgain: () => void;
}

function Letter({ letter, now, isBusy, onAgain }: LetterProps): JSX.Element {
  const { webhook, event, connection, attempts, reason, deadAt } = letter;
  return (
    <tr>
      <td>
        <Shape standing={eventTone(event)} /> {eventName(event)}{' '}
        {connection !== null && (
          <a class="wrap" href={connectionAddress(connection)}>
            {connection}
          </a>
        )}
      </td>
      <td class="wrap" data-label="Receiver">
        {webhook}
      </td>
      <td class="num" data-label="Attempts">
        {attempts}
      </td>
      <td class="wrap">{sentence(reason)}</td>
      <td data-label="Since" title={instantText(deadAt, 'full')}>
        {instantText(deadAt, 'date')}, {instantText(deadAt, 'time')}{' '}
        <span class="quiet detail">{fromNow(deadAt, now)}</span>
      </td>
      <td>
        <button
          type="button"
          aria-disabled={isBusy}
          aria-label={`Try again: ${eventName(event)} ${connection ?? ''}, to ${webhook}`}
          onClick={onAgain}
        >
          {isBusy ? 'Working …' : 'Try again'}
        </button>
      </td>
    </tr>
  );
}
