import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ConsentPrompt } from '../../keeper-api.ts';
import { relativeTime } from '../output/relative-time.ts';
import { tell, type Session } from '../session.ts';
import { askYesOrNo } from './ask.ts';

/** How the person is asked for consent. */
export interface ConsentOptions {
  /** Opens a browser; else the address is printed and the redirect is pasted. */
  readonly browser: boolean;
  /** Takes the account for the right one without asking. */
  readonly yes: boolean;
}

/** Asks for consent at the terminal: opens a browser or prints the address, shows device codes, asks whether the account is right. */
export function consentAtTerminal(session: Session, options: ConsentOptions): ConsentPrompt {
  return {
    authorize: ({ url, redirectUri }) => authorize(session, url, redirectUri, options.browser),
    ...(!options.browser && {
      pastedRedirect: (signal: AbortSignal) => readLine(session, signal),
    }),
    deviceCode: (request) => {
      tell(session, `open this address on any device:\n\n  ${request.verificationUri}\n`);
      tell(session, `and enter the code:\n\n  ${request.userCode}\n`);
      const { verificationUriComplete: whole } = request;
      if (whole !== undefined)
        tell(session, `or open this one, which holds the code:\n\n  ${whole}\n`);
      tell(
        session,
        `the code ends ${relativeTime(request.expiresAt, session.clock.now())}; waiting for consent`,
      );
    },
    ...confirmation(session, options.yes),
  };
}

/** Without a terminal nobody can be asked; the keeper's own rule then holds, unless `--yes` answered already. */
function confirmation(session: Session, yes: boolean): Pick<ConsentPrompt, 'confirmSubject'> {
  if (yes) return { confirmSubject: () => Promise.resolve(true) };
  if (session.stdin.isTTY !== true) return {};
  return {
    confirmSubject: ({ now, before }) => {
      const who = now ?? 'an account whose name the server did not tell';
      const change = before === undefined ? '' : `, before it was ${before}`;
      return askYesOrNo(session, `Signed in as ${who}${change}. Is that right?`);
    },
  };
}

function authorize(session: Session, url: string, redirectUri: string, browser: boolean): void {
  const isOpening = browser && openBrowser(session, url);
  tell(
    session,
    `${isOpening ? 'a browser opens; if it does not, open' : 'open'} this address and consent:\n\n  ${url}\n`,
  );
  if (browser) return tell(session, 'waiting for the browser to come back');
  tell(
    session,
    `the browser ends at an address that begins with ${redirectUri} and may show an error; paste that address here:`,
  );
}

/** @returns false where there is no desktop to open one on. */
function openBrowser(session: Session, url: string): boolean {
  const { environment } = session;
  const isMac = process.platform === 'darwin';
  const hasDesktop =
    environment['DISPLAY'] !== undefined || environment['WAYLAND_DISPLAY'] !== undefined;
  if (!isMac && !hasDesktop) return false;
  const child = spawn(isMac ? 'open' : 'xdg-open', [url], { stdio: 'ignore', detached: true });
  // The address is printed anyway.
  child.on('error', () => undefined);
  child.unref();
  return true;
}

/** The first line that is not empty; never resolves when there is none, since the browser may still come back by itself. */
function readLine(session: Session, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: session.stdin });
    const stop = (): void => lines.close();
    signal.addEventListener('abort', stop, { once: true });
    lines.on('line', (line) => {
      if (line.trim() === '') return;
      signal.removeEventListener('abort', stop);
      lines.close();
      resolve(line.trim());
    });
  });
}
