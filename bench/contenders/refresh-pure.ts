import { refreshAccessToken } from '../../src/token-endpoint.ts';
import type { Prepare } from '../harness/contender.ts';
import { inLanes } from '../support/lanes.ts';
import { CLIENT, type RefreshTask } from '../support/refresh-task.ts';
import { refreshToken } from '../support/tokens.ts';

/** Ours without a store: every option at its default, so a connection of its own for each POST; the answer checked. */
const prepare: Prepare<RefreshTask> = async ({ tokenEndpoint, refreshes, concurrency }) => ({
  async round() {
    await inLanes(refreshes, concurrency, (i) =>
      refreshAccessToken({
        tokenEndpoint,
        clientId: CLIENT.id,
        clientSecret: CLIENT.secret,
        refreshToken: refreshToken(i),
        insecureLoopback: true,
      }),
    );
    return undefined;
  },
});

export default prepare;
