import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHome } from '../../../src/keeper.ts';
import { makeTemporaryFolder, removeFolder } from '../../../src/system/temporary-folder.ts';
import { inOptionNames } from '../../../src/cli/output/option-names.ts';
import { runCli } from './run-cli.ts';

/*
 * What the library or the daemon refuses is told by the name of the option, as the person wrote it. The keeper is a real one.
 */

let home: string;
let odd: string;
let good: string;

beforeAll(async () => {
  home = await makeTemporaryFolder('evergrant-names-');
  odd = path.join(home, 'odd');
  good = path.join(home, 'good');
  await writeFile(odd, 'geheim-ä', { mode: 0o600 });
  await writeFile(good, 'hush', { mode: 0o600 });
});

afterAll(() => removeFolder(home));

const CLIENT = ['--provider', 'generic', '--client-id', 'c', '--public-client'];
const TOKEN = ['--token-endpoint', 'https://as.example/token'];
const CODE = [...TOKEN, '--authorization-endpoint', 'https://as.example/authorize'];
const PERSPIO = ['--provider', 'perspio', '--client-id', 'c', '--public-client'];

/** A word that stands for a member of an object, and not for an option. */
const MEMBER = /\b[a-z]+[A-Z]\w*/;

describe('a wrong option of connect and add', () => {
  it.each<readonly [readonly string[], string]>([
    [[], '--token-endpoint is missing; give it, or --issuer to discover it'],
    [['--token-endpoint', 'nonsense'], '--token-endpoint is no absolute URL'],
    [['--token-endpoint', 'http://as.example/'], '--token-endpoint does not begin with https://'],
    [['--token-endpoint', 'http://127.0.0.1/'], '--insecure-loopback allows that in tests'],
    [['--token-endpoint', 'https://u:p@as.example/'], '--token-endpoint holds credentials'],
    [TOKEN, '--authorization-endpoint is missing; give it, or --issuer to discover it'],
    [[...TOKEN, '--grant', 'device'], '--device-authorization-endpoint is missing; give it'],
    [[...TOKEN, '--authorization-endpoint', 'x'], '--authorization-endpoint is no absolute URL'],
    [[...TOKEN, '--device-authorization-endpoint', 'x'], '--device-authorization-endpoint is no'],
    [[...TOKEN, '--revocation-endpoint', 'x'], '--revocation-endpoint is no absolute URL'],
    [[...TOKEN, '--jwks-uri', 'x'], '--jwks-uri is no absolute URL'],
    [[...TOKEN, '--issuer', 'x'], '--issuer is no absolute URL'],
    [['--issuer', 'x'], '--issuer must be an https URL'],
    [[...TOKEN, '--api-origin', 'x'], '--api-origin is no absolute URL'],
    [[...TOKEN, '--api-origin', 'https://a.example/x'], '--api-origin holds "https://a.example/x"'],
    [[...CODE, '--redirect-uri', 'x'], '--redirect-uri must be http://127.0.0.1'],
    [[...CODE, '--redirect-uri', 'http://localhost:70000'], '--redirect-uri has a port above'],
    [
      [...CODE, '--redirect-uri', 'http://localhost:1', '--redirect-port', '2'],
      '--redirect-uri and --redirect-port name different ports',
    ],
    [[...CODE, '--scope', 'a"b'], '--scope holds "a\\"b"'],
  ])('is named as it was written: %j', async (options, message) => {
    const run = await connect([...CLIENT, ...options]);
    expect(run.stderr).toContain(message);
    expect(run.stderr).not.toMatch(MEMBER);
    expect(run.code).toBe(2);
  });

  it.each<readonly [readonly string[], string]>([
    [['--provider', 'generic', '--client-id', '', '--public-client', ...TOKEN], '--client-id is'],
    [
      [
        '--provider',
        'generic',
        '--client-id',
        'c',
        '--client-auth',
        'client_secret_post',
        ...TOKEN,
      ],
      '--client-auth client_secret_post needs a client secret',
    ],
    [['--provider', 'entra', '--client-id', 'c', '--public-client'], '--entra-tenant is missing'],
    [[...PERSPIO, '--entra-tenant', '../x'], '--entra-tenant is neither a GUID nor a domain'],
    [[...PERSPIO, '--perspio-tenant', ''], '--perspio-tenant is empty'],
    [[...PERSPIO, '--idle-limit', '0s'], '--idle-limit must be a number from 1 to'],
    [[...PERSPIO, '--rotation', 'grace', '--grace', '9999w'], '--grace must be a number from 0 to'],
    [[...PERSPIO, '--perspio-tenant', 'ä'], '--perspio-tenant holds a character'],
  ])('is named whatever the provider: %j', async (options, message) => {
    const run = await connect(options);
    expect(run.stderr).toContain(message);
    expect(run.stderr).not.toMatch(MEMBER);
    expect(run.code).toBe(2);
  });

  it('is a secret by its name in words, for there are three options that give it', async () => {
    const key = await connect([...PERSPIO, '--subscription-key-file', odd]);
    expect(key.stderr).toContain('evergrant: the subscription key holds a character that is not');
    const add = (options: readonly string[]): ReturnType<typeof runCli> =>
      runCli(['add', 'x', '--home', home, ...CLIENT, ...TOKEN, ...options], { openHome });
    const refresh = await add(['--refresh-token-file', odd]);
    expect(refresh.stderr).toContain('evergrant: the refresh token holds a character that is not');
    const access = ['--access-token-file', odd, '--access-token-expires', '5m'];
    const both = await add(['--refresh-token-file', good, ...access]);
    expect(both.stderr).toContain('evergrant: the access token holds a character that is not');
    expect(key.stderr + refresh.stderr + both.stderr).not.toContain('geheim');
  });
});

describe('a message of the daemon', () => {
  it.each([
    ['the body is wrong: life must be from 1m to 7d', '--life must be from 1m to 7d'],
    ['the body is wrong: client.clientId must not be empty', '--client-id must not be empty'],
    ['the body is wrong: scope must be string, not number', '--scope must be string, not number'],
  ])('names the option, not the member of its body: %s', (message, told) => {
    expect(inOptionNames(message)).toBe(told);
  });

  it.each([
    'a connection named redirectUri exists already; choose another name, or reconnect it',
    'client tokenEndpoint.old is used by connections; disconnect them first',
    'https://as.example/redirectUri may not be sent the token',
    'the endpoints of https://as.example cannot be discovered: the metadata is of another issuer',
    'a life of nine lives',
  ])('is left as it is where the word is none of its members: %s', (message) => {
    expect(inOptionNames(message)).toBe(message);
  });
});

function connect(options: readonly string[]): ReturnType<typeof runCli> {
  return runCli(['connect', 'x', '--home', home, ...options], { openHome });
}
