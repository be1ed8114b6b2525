import { afterEach } from 'vitest';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../src/emulator/emulator.ts';

/** Gives a test file a way to start emulators that are closed after each test. Tokens are opaque unless asked otherwise. */
export function emulatorFixture(): (options?: EmulatorOptions) => Promise<Emulator> {
  const running: Emulator[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((emulator) => emulator.close()));
  });
  return async (options = {}) => {
    const emulator = await startEmulator({ opaqueAccessTokens: true, ...options });
    running.push(emulator);
    return emulator;
  };
}
