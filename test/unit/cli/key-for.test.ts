import { describe, expect, it } from 'vitest';
import { fakeHome, fakeKeeper } from './fake-keeper.ts';
import { runCli } from './run-cli.ts';

describe('a key for the proxy', () => {
  it.each([
    [['--path', 'nope'], "--path takes a path that begins with /, such as '/assets/*'"],
    [['--path', '/assets/*', '--path', 'v3'], '--path takes a path that begins with /'],
    [['--host', 'https://talk.perspio.io'], '--host takes a host, such as talk.perspio.io'],
    [['--host', 'talk.perspio.io/assets'], '--host takes a host'],
    [['--method', 'GET POST'], '--method takes a method, such as GET'],
  ])('is not made for what no call can be: %j', async (options, message) => {
    const policy = ['--connection', 'perspio', '--verb', 'proxy'];
    const run = await runCli(['key-for', 'reporting', ...policy, ...options]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toContain(`evergrant: ${message}`);
  });

  it.each([
    ['--path', '/assets/*'],
    ['--path', '*/v3/'],
    ['--host', 'talk.perspio.io:8443'],
    ['--host', '[::1]:80'],
    ['--method', 'get'],
  ])('is made for %s %s', async (...options) => {
    const added: unknown[] = [];
    const home = fakeHome(fakeKeeper());
    const addKey = (key: unknown): Promise<void> => Promise.resolve(void added.push(key));
    const run = await runCli(['key-for', 'r', '--connection', 'x', '--verb', 'proxy', ...options], {
      openHome: async () => ({
        ...home,
        store: { ...home.store, access: { ...home.store.access, addKey } },
      }),
    });
    expect(run.code).toBe(0);
    expect(added).toHaveLength(1);
  });
});
