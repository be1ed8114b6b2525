import { describe, expect, it } from 'vitest';
import { isLoopbackAddress, isPublicAddress, mayResolveTo } from '../../../src/system/addresses.ts';

describe('an address', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '192.169.0.1',
    '2606:4700::1111',
    '2a00::1',
  ])('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true);
    expect(isLoopbackAddress(address)).toBe(false);
  });

  it.each([
    '0.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.1',
    '198.19.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2001:db8::1',
    '2002:808:808::1',
    'fc00::1',
    'fe80::1',
    'fe80::1%lo',
    'ff02::1',
    'localhost',
    '',
    '8.8.8.8 ',
  ])('%s is not', (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['127.0.0.1', '127.255.0.1', '::1'])('%s is of this machine', (address) => {
    expect(isLoopbackAddress(address)).toBe(true);
  });
});

describe('a host of the configuration', () => {
  it.each([
    ['api.example', '8.8.8.8', true],
    ['api.example', '127.0.0.1', false],
    ['api.example', '10.0.0.1', false],
    ['localhost', '127.0.0.1', true],
    ['localhost', '::1', true],
    ['localhost', '10.0.0.1', false],
    ['localhost', '8.8.8.8', false],
    ['10.0.0.1', '10.0.0.1', true],
    ['[::1]', '::1', true],
  ])('%s may lead to %s: %s', (host, address, may) => {
    expect(mayResolveTo(host, address)).toBe(may);
  });
});
