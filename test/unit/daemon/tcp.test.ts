import { describe, expect, it } from 'vitest';
import { readAddress } from '../../../src/daemon/tcp.ts';

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['localhost:7343', 'localhost', 7_343],
    ['[::1]:65535', '[::1]', 65_535],
  ])('%s is read', (listen, host, port) => {
    expect(readAddress(listen)).toEqual({ host, port });
  });

  it.each([
    '',
    'nonsense',
    ':7343',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:65536',
    'localhost:http',
  ])('%j is refused by what it is', (listen) => {
    expect(() => readAddress(listen)).toThrow(`daemon.listen ${listen} is no address and port`);
  });
});
