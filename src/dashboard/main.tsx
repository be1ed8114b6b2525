import { render } from 'preact';
import { proof } from './browser.ts';
import { App } from './app.tsx';
import { signIn, watch } from './data/live.ts';
import { change } from './data/state.ts';

const root = document.getElementById('app');
if (root !== null) {
  render(<App />, root);
  void begin();
}

/** A link's code is taken out of the address before anything else, so that neither history nor a bookmark keeps it. */
async function begin(): Promise<void> {
  if (location.pathname === '/sign-in') {
    const code = location.hash.slice(1);
    history.replaceState(null, '', '/');
    if (code !== '') await signIn(code);
  }
  if (proof.read() === '') return change({ phase: 'signed-out', message: undefined });
  await watch();
}
