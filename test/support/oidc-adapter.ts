/*
 * A storage for oidc-provider, written to its published interface, in which a refresh token counts as used only some time after its use:
 * a grace, during which it may be used again.
 */

type Payload = Record<string, unknown> & { readonly grantId?: string };

const records = new Map<string, Payload>();

/** Makes the class of storages that oidc-provider is configured with. @param graceMs - how long after its use a token counts as unused. */
export function adapterWithGrace(graceMs: number): new (kind: string) => object {
  return class {
    readonly #kind: string;

    constructor(kind: string) {
      this.#kind = kind;
    }

    upsert(id: string, payload: Payload): Promise<void> {
      records.set(this.#key(id), payload);
      return Promise.resolve();
    }

    find(id: string): Promise<Payload | undefined> {
      return Promise.resolve(records.get(this.#key(id)));
    }

    findByUid(uid: string): Promise<Payload | undefined> {
      return Promise.resolve(this.#search('uid', uid));
    }

    findByUserCode(userCode: string): Promise<Payload | undefined> {
      return Promise.resolve(this.#search('userCode', userCode));
    }

    destroy(id: string): Promise<void> {
      records.delete(this.#key(id));
      return Promise.resolve();
    }

    revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, payload] of records) if (payload.grantId === grantId) records.delete(key);
      return Promise.resolve();
    }

    consume(id: string): Promise<void> {
      const mark = (): void => {
        const payload = records.get(this.#key(id));
        const consumed = Math.floor(Date.now() / 1000);
        if (payload !== undefined) records.set(this.#key(id), { ...payload, consumed });
      };
      if (this.#kind === 'RefreshToken') setTimeout(mark, graceMs).unref();
      else mark();
      return Promise.resolve();
    }

    #key(id: string): string {
      return `${this.#kind}:${id}`;
    }

    #search(member: string, value: string): Payload | undefined {
      const found = [...records].find(
        ([key, payload]) => key.startsWith(`${this.#kind}:`) && payload[member] === value,
      );
      return found?.[1];
    }
  };
}
