import type { Command } from 'commander';
import { askDaemon } from './ask-daemon.ts';
import { openInBrowser } from './input/open-in-browser.ts';
import { relativeTime } from './output/relative-time.ts';
import { print, printJson, tell, type Session } from './session.ts';

interface DashboardOptions {
  readonly socket?: string;
  readonly browser: boolean;
  readonly json?: boolean;
}

interface Link {
  readonly url: string;
  readonly expiresAt: number;
}

/** Adds `evergrant dashboard`. */
export function addDashboardCommand(program: Command, session: Session): void {
  program
    .command('dashboard')
    .summary('sign a browser in to the dashboard')
    .description(
      'Prints a link that signs one browser in to the dashboard of the running daemon, once, and opens it where there is a desktop. ' +
        'Whoever is signed in may look at connections and manage them, but is given no token.',
    )
    .option('--socket <path>', 'socket of the daemon (default: run/evergrant.sock in the home)')
    .option('--no-browser', 'open no browser')
    .option('--json', 'print the link as JSON')
    .addHelpText('after', '\nExample:\n  evergrant serve &\n  evergrant dashboard')
    .action((options: DashboardOptions) => dashboard(session, options));
}

async function dashboard(session: Session, options: DashboardOptions): Promise<void> {
  const order = { socket: options.socket, target: '/v1/dashboard-links' };
  const link = (await askDaemon(session, order)) as Link;
  if (options.json === true) return printJson(session, link);
  print(session, link.url);
  const ends = relativeTime(link.expiresAt, session.clock.now());
  const isOpened = options.browser && (await openInBrowser(session, link.url));
  tell(
    session,
    `${isOpened ? 'a browser opens; if it does not, open this' : 'open this'} address; it signs one browser in, once, and ends ${ends}`,
  );
}
