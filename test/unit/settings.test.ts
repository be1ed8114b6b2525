import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSettings, readSettings } from '../../src/settings.ts';

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'evergrant-settings-'));
  file = path.join(folder, 'settings.json');
});

afterAll(() => rm(folder, { recursive: true }));

async function settings(content: string, mode = 0o600): ReturnType<typeof readSettings> {
  await writeFile(file, content);
  await chmod(file, mode);
  return readSettings(file);
}

/** Settings with receivers that are good but for these changes. */
function webhooks(...changes: readonly object[]): string {
  const good = { name: 'ops', url: 'https://hooks.example.com/', secretVariable: 'HOOK_SECRET' };
  return JSON.stringify({
    daemon: { webhooks: changes.map((change) => ({ ...good, ...change })) },
  });
}

describe('settings', () => {
  it('are all at their defaults without a file', async () => {
    expect(await readSettings(path.join(folder, 'none.json'))).toEqual({});
  });

  it('are read whole', async () => {
    const all = {
      notifyCommand: ['mail', '-s', 'evergrant'],
      lastTry: false,
      requestsPerSecond: 2.5,
      daemon: {
        socket: '/run/user/1000/evergrant/evergrant.sock',
        listen: '0.0.0.0:8443',
        tlsCertificateFile: '/etc/evergrant/cert.pem',
        tlsKeyFile: '/etc/evergrant/key.pem',
        hosts: ['evergrant.example.com:8443'],
        publicUrl: 'https://evergrant.example.com:8443',
        log: 'json',
        auditRows: 5_000,
        callsPerKey: 20,
        webhooks: [
          {
            name: 'ops',
            url: 'https://hooks.example.com/evergrant',
            secretFile: '/run/credentials/evergrant.service/hook',
            events: ['attention', 'notice'],
          },
          { name: 'own', url: 'http://[::1]:8080/', secretVariable: 'HOOK_SECRET' },
        ],
      },
    };
    expect(await settings(JSON.stringify(all))).toEqual(all);
    expect(await settings('{}')).toEqual({});
  });

  it.each([
    ['{"notifyCommand":"mail me"}', 'notifyCommand must be a list: the program and its arguments'],
    ['{"notifyCommand":[]}', 'notifyCommand must name a program'],
    ['{"notifyCommand":["a",1]}', 'notifyCommand must be strings'],
    ['{"lastTry":"no"}', 'lastTry must be true or false'],
    ['{"requestsPerSecond":0}', 'requestsPerSecond must be 0.1 or more'],
    ['{"requestsPerSecond":"10"}', 'requestsPerSecond must be a number'],
    [
      '{"lasttry":true}',
      'lasttry is unknown; known are notifyCommand, lastTry, requestsPerSecond, daemon',
    ],
    [
      '{\n"lastTry": true,\n"daemon": {\n"lisen": 1}}',
      'line 4: daemon.lisen is unknown; known are socket,',
    ],
    [
      '{\n"lastTry":\n3,\n"daemon": {"log": "xml"}}',
      'line 2: lastTry must be true or false; line 4: daemon.log must be',
    ],
    ['{\n"daemon": 1}', 'line 2: daemon must be an object, not number'],
    ['{"daemon": {"listen": "7343"}}', 'daemon.listen must be an address and a port'],
    ['{"daemon": {"listen": "evil.example:7343"}}', 'daemon.listen must be an address and a port'],
    ['{"daemon": {"socket": "run/s"}}', 'daemon.socket must be an absolute path'],
    ['{"daemon": {"hosts": ["https://a.example"]}}', 'daemon.hosts must be hosts'],
    ['{"daemon": {"publicUrl": "evergrant.example.com"}}', 'daemon.publicUrl must be https://'],
    [
      '{"daemon": {"publicUrl": "http://evergrant.example.com"}}',
      'daemon.publicUrl must be https://',
    ],
    [
      '{"daemon": {"publicUrl": "http://127.0.0.1.example.com"}}',
      'daemon.publicUrl must be https://',
    ],
    [
      '{"daemon": {"publicUrl": "https://a.example/evergrant"}}',
      'daemon.publicUrl must be https://',
    ],
    ['{"daemon": {"publicUrl": "https://a.example?x"}}', 'daemon.publicUrl must be https://'],
    ['{"daemon": {"publicUrl": "https://me@a.example"}}', 'daemon.publicUrl must be https://'],
    ['{"daemon": {"publicUrl": "javascript:alert(1)"}}', 'daemon.publicUrl must be https://'],
    ['{"daemon": {"callsPerKey": 0}}', 'daemon.callsPerKey must be 1 or more'],
    ['{"daemon": {"callsPerKey": 1e9}}', 'daemon.callsPerKey must be 4096 or less'],
    ['{"daemon": {"webhooks": {}}}', 'daemon.webhooks must be a list'],
    ['{"daemon": {\n"webhooks": [\n3]}}', 'line 3: daemon.webhooks must be an object, not number'],
    [
      '{"daemon": {"webhooks": [\n{\n"uri": "a"}]}}',
      'line 3: daemon.webhooks.uri is unknown; known are name, url, secretFile, secretVariable, events',
    ],
    [
      webhooks({ url: 'http://hooks.example.com/' }),
      'daemon.webhooks.url must be an https address',
    ],
    [webhooks({ url: 'https://me:pass@hooks.example.com/' }), 'url must be an https address'],
    [webhooks({ url: 'http://127.0.0.1.example.com/' }), 'url must be an https address'],
    [webhooks({ url: 'hooks.example.com' }), 'url must be an https address'],
    [webhooks({ name: 'Ops' }), 'daemon.webhooks.name must be small letters'],
    [webhooks({ events: [] }), 'daemon.webhooks.events must name a kind of event'],
    [webhooks({ events: ['*'] }), 'daemon.webhooks.events must be kinds of events'],
    [
      webhooks({ events: ['attention', 'atention'] }),
      'daemon.webhooks.events must be kinds of events: connected, reconnected, refreshed,',
    ],
    [webhooks({ secretFile: 'hook' }), 'daemon.webhooks.secretFile must be an absolute path'],
    [webhooks({ secretVariable: undefined }), 'must have secretFile or secretVariable'],
    [webhooks({ secretFile: '/etc/hook' }), 'must have secretFile or secretVariable'],
    [webhooks({}, {}), 'daemon.webhooks must each have a name of their own'],
    ['[]', 'must be an object'],
    ['null', 'must be an object'],
    ['{', 'is not JSON'],
    ['', 'is not JSON'],
  ])('%s is refused with a message that names the option', async (content, message) => {
    await expect(settings(content)).rejects.toMatchObject({
      code: 'ERR_CONFIGURATION',
      message: expect.stringContaining(message),
    });
  });

  it.each([
    'https://a.example',
    'https://a.example/',
    'http://localhost:7343',
    'http://[::1]:7343',
  ])('%s is an address at which a person can be sent to consent', async (publicUrl) => {
    const content = { daemon: { publicUrl } };
    expect(await settings(JSON.stringify(content))).toEqual(content);
  });

  it('are refused by their first faults, however many there are and however deep', async () => {
    const deep = `${'['.repeat(2_000)}${']'.repeat(2_000)}`;
    const wrong = Array.from({ length: 20_000 }, () => '1').join(',\n');
    const refused = await settings(`{ "x": ${deep}, "notifyCommand": [${wrong}] }`).catch(
      (error: unknown) => error,
    );
    const { message } = refused as Error;
    expect(message).toContain('must be strings');
    expect(message).toMatch(/; and 19996 more$/);
    expect(message.length).toBeLessThan(2_000);
  });

  it('are refused when others could have written them, since they name a program to run', async () => {
    await expect(settings('{}', 0o644)).rejects.toMatchObject({ code: 'ERR_STORE_UNSAFE' });
  });
});

describe('settings that a program gives', () => {
  it.each([
    [
      'one that is unknown',
      { foo: 1 },
      'settings.foo is unknown; known are notifyCommand, lastTry',
    ],
    ['one of the daemon', { daemon: { lissten: '' } }, 'settings.daemon.lissten is unknown; known'],
    [
      'no number',
      { requestsPerSecond: Number('ten') },
      'settings.requestsPerSecond must be a numb',
    ],
    ['too small a number', { requestsPerSecond: 0 }, 'settings.requestsPerSecond must be 0.1 or m'],
    ['a list', [], 'settings must be an object, not a list'],
    ['text', '{}', 'settings must be an object, not string'],
  ])('are refused with %s', async (_what, given, message) => {
    await expect(checkSettings(given)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });

  it('are taken where they are right, or none', async () => {
    const fast = { requestsPerSecond: 10_000 };
    expect(await checkSettings(fast)).toEqual(fast);
    const given = { lastTry: false, requestsPerSecond: undefined };
    // What is undefined is not given, and leaves what the file says.
    expect(await checkSettings(given)).toStrictEqual({ lastTry: false });
    expect(await checkSettings(undefined)).toEqual({});
    expect(await checkSettings({})).toEqual({});
  });
});
