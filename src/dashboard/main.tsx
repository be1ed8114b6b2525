import { render } from 'preact';
import { proof } from './browser.ts';
import { App } from './app.tsx';
import { watch } from './data/follow.ts';
import { signIn } from './data/live.ts';
import { change } from './data/state.ts';

const root = document.getElementById('app');
if (root !== null) {
  const code = takeCode();
  render(<App />, root);
  void begin(code);
}

/** A link's code is taken out of the address before anything else, so that no screen, history or bookmark sees it. */
function takeCode(): string {
  if (location.pathname !== '/sign-in') return '';
  const code = location.hash.slice(1);
  history.replaceState(null, '', '/');
  return code;
}

async function begin(code: string): Promise<void> {
  if (code !== '') await signIn(code);
  if (proof.read() === '') return change({ phase: 'signed-out' });
  watch();
}
