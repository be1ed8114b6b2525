import { AuthorizationCode } from 'simple-oauth2';
import type { Prepare } from '../harness/contender.ts';
import { inLanes } from '../support/lanes.ts';
import { CLIENT, type RefreshTask } from '../support/refresh-task.ts';
import { refreshToken } from '../support/tokens.ts';

/** simple-oauth2: the POST through its own HTTP client, nothing stored. */
const prepare: Prepare<RefreshTask> = async ({ tokenEndpoint, refreshes, concurrency }) => {
  const { origin, pathname } = new URL(tokenEndpoint);
  const client = new AuthorizationCode({
    client: CLIENT,
    auth: { tokenHost: origin, tokenPath: pathname },
    options: { authorizationMethod: 'body' },
  });
  return {
    async round() {
      await inLanes(refreshes, concurrency, (i) =>
        client.createToken({ refresh_token: refreshToken(i) }).refresh(),
      );
      return undefined;
    },
  };
};

export default prepare;
