import { allowInsecureRequests, Configuration, refreshTokenGrant } from 'openid-client';
import type { Prepare } from '../harness/contender.ts';
import { inLanes } from '../support/lanes.ts';
import { CLIENT, type RefreshTask } from '../support/refresh-task.ts';
import { refreshToken } from '../support/tokens.ts';

/** openid-client: the POST through fetch, the answer checked, nothing stored. */
const prepare: Prepare<RefreshTask> = async ({ tokenEndpoint, refreshes, concurrency }) => {
  const { origin } = new URL(tokenEndpoint);
  const server = { issuer: origin, token_endpoint: tokenEndpoint };
  const configuration = new Configuration(server, CLIENT.id, CLIENT.secret);
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the server is on this machine
  allowInsecureRequests(configuration);
  return {
    async round() {
      await inLanes(refreshes, concurrency, (i) =>
        refreshTokenGrant(configuration, refreshToken(i)),
      );
      return undefined;
    },
  };
};

export default prepare;
