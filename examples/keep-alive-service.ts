/*
 * A service that keeps every connection of its home alive until it is stopped. Run as many as you like: they agree on who refreshes.
 *
 *   node keep-alive-service.ts
 */
import { openKeeper } from 'evergrant';

const keeper = await openKeeper({ create: false });

keeper.on('refreshed', ({ connection, accessExpiresAt }) => {
  console.log(`${connection}: refreshed, good until ${new Date(accessExpiresAt).toISOString()}`);
});
keeper.on('refresh_failed', ({ connection, message }) => {
  console.warn(`${connection}: ${message}`);
});
keeper.on('warning', ({ connection, message }) => {
  console.warn(`${connection ?? 'evergrant'}: ${message}`);
});
keeper.on('notice', ({ connection, actor, message }) => {
  console.error(`${connection ?? 'evergrant'}: ${actor} must act: ${message}`);
});
keeper.start();

// The library installs no signal handler. Closing waits for an answer under way: it may hold the only copy of a refresh token.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    keeper.close().catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  });
}
