import { ConfigurationError } from '../errors.ts';

/** The command line was used wrongly. */
export class UsageError extends ConfigurationError {
  /** @param message - what is wrong and what is right, without the value of anything that may be a secret. */
  constructor(message: string) {
    super('ERR_ARGUMENT', message);
  }
}
