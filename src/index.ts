/** Keeps OAuth 2.0 connections alive, unattended. The library's door. */
export { openKeeper, type KeeperOptions } from './keeper.ts';
export { AccessToken } from './access-token.ts';
export { Secret } from './secret.ts';
export * from './errors.ts';
export type * from './keeper-api.ts';
export type { DaemonSettings, Settings, WebhookSettings } from './settings.ts';
export type { DaemonOption } from './remote/open-remote.ts';
export type { Clock, Timer } from './system/clock.ts';
export type { Random } from './system/random.ts';
export type { Log } from './system/log.ts';
export type { ProfileOverrides } from './providers/profile.ts';
export type { Provider, ApiHeader, ApiLimit, RefusalAdvice } from './providers/provider.ts';
export type {
  Actor,
  Beginning,
  LastError,
  LifeEvent,
  Notice,
  Rotation,
} from './connection/record.ts';
