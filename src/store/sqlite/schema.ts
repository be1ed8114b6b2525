/*
 * The schema as numbered steps. `user_version` counts those applied; a store with more of them than this file knows was written by a newer
 * evergrant and is refused. A step that has been released is never edited.
 */

/** Marks a file as ours: "EVGR". */
export const APPLICATION_ID = 0x45564752;

/** Steps in order; the first makes an empty store. */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE data_key (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  wrapped BLOB NOT NULL,
  created_at REAL NOT NULL,
  retired_at REAL
) STRICT;

CREATE TABLE client (
  id TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  client_id TEXT NOT NULL,
  token_endpoint TEXT NOT NULL,
  authentication TEXT NOT NULL,
  overrides TEXT NOT NULL,
  secret BLOB,
  secret_expires_at REAL,
  revision INTEGER NOT NULL,
  refused_at REAL,
  refusal TEXT,
  mac BLOB NOT NULL,
  UNIQUE (provider, client_id, token_endpoint, authentication, overrides)
) STRICT;
CREATE INDEX client_registration ON client (token_endpoint, client_id);

CREATE TABLE connection (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  client TEXT NOT NULL REFERENCES client (id),
  grant_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  state TEXT NOT NULL,
  facts TEXT NOT NULL,
  token_set TEXT,
  access_token BLOB,
  refresh_token BLOB,
  id_token BLOB,
  subscription_key BLOB,
  claim TEXT,
  intent TEXT,
  backoff TEXT NOT NULL,
  last_error TEXT,
  next_step_at REAL,
  access_expires_at REAL,
  mac BLOB NOT NULL
) STRICT;
CREATE INDEX connection_due ON connection (next_step_at) WHERE next_step_at IS NOT NULL;
CREATE INDEX connection_claimed ON connection (id) WHERE claim IS NOT NULL;
CREATE INDEX connection_client ON connection (client);

CREATE TABLE endpoint (
  endpoint TEXT PRIMARY KEY,
  state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE life (
  id INTEGER PRIMARY KEY,
  connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  at REAL NOT NULL,
  event TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  by_keeper TEXT NOT NULL,
  fingerprint TEXT,
  detail TEXT
) STRICT;
CREATE INDEX life_connection ON life (connection, id);

CREATE TABLE notice (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  connection TEXT REFERENCES connection (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  at REAL NOT NULL,
  message TEXT NOT NULL,
  reserved_until REAL,
  delivered_at REAL
) STRICT;
CREATE INDEX notice_pending ON notice (id) WHERE delivered_at IS NULL;

CREATE TABLE leftover (
  connection TEXT NOT NULL REFERENCES connection (id) ON DELETE CASCADE,
  attempt TEXT NOT NULL,
  kind TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  sealed BLOB NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (connection, attempt)
) STRICT, WITHOUT ROWID;
`,
  // The first: a damaged index of names must not hide a connection. The second: the removal of a connection looks for its notices.
  `
CREATE INDEX connection_name_again ON connection (name);
CREATE INDEX notice_connection ON notice (connection);
`,
  // What daemons need. The feed is written by triggers: an event and what it tells of are one transaction, whoever writes. It keeps
  // 20 000 events, and outlives the connections that they tell of. Its newest row is never removed, so that ids grow without a counter, and
  // its oldest go many at a time: either would be one more page in each commit.
  `
CREATE TABLE access_key (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  policy TEXT NOT NULL,
  created_at REAL NOT NULL,
  expires_at REAL,
  revoked_at REAL,
  mac BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX access_key_in_use ON access_key (name) WHERE revoked_at IS NULL;

CREATE TABLE draw (
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  caller TEXT NOT NULL,
  key_id TEXT,
  connection TEXT,
  verb TEXT NOT NULL,
  what TEXT NOT NULL,
  refused_because TEXT,
  count INTEGER NOT NULL
) STRICT;
CREATE INDEX draw_granted ON draw (id) WHERE refused_because IS NULL;
CREATE INDEX draw_refused ON draw (id) WHERE refused_because IS NOT NULL;

CREATE TABLE feed (
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  event TEXT NOT NULL,
  connection TEXT,
  name TEXT,
  generation INTEGER,
  detail TEXT
) STRICT;
CREATE TRIGGER feed_of_life AFTER INSERT ON life BEGIN
  INSERT INTO feed (at, event, connection, name, generation, detail)
    SELECT NEW.at, NEW.event, NEW.connection, name, NEW.generation, NEW.detail
      FROM connection WHERE id = NEW.connection;
END;
CREATE TRIGGER feed_of_notices AFTER INSERT ON notice BEGIN
  INSERT INTO feed (at, event, connection, name, detail)
    VALUES (NEW.at, 'notice', NEW.connection, (SELECT name FROM connection WHERE id = NEW.connection), NEW.message);
END;
CREATE TRIGGER feed_is_short AFTER INSERT ON feed WHEN NEW.id % 256 = 0 BEGIN
  DELETE FROM feed WHERE id <= NEW.id - 20000;
END;
`,
  // The outbox of webhooks. `collected` is the last event of the feed that was taken for a receiver. A letter without an instant waits for
  // another of its lane, or is dead.
  `
CREATE TABLE webhook (
  receiver TEXT PRIMARY KEY,
  collected INTEGER NOT NULL,
  held_until REAL
) STRICT, WITHOUT ROWID;

CREATE TABLE letter (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  receiver TEXT NOT NULL,
  lane TEXT NOT NULL,
  content TEXT NOT NULL,
  failures INTEGER NOT NULL,
  next_at REAL,
  reason TEXT,
  dead_at REAL
) STRICT;
CREATE INDEX letter_lane ON letter (receiver, lane, number) WHERE dead_at IS NULL;
CREATE INDEX letter_due ON letter (receiver, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX letter_dead ON letter (dead_at, number) WHERE dead_at IS NOT NULL;
`,
  // What a notice is of, and who must act, stand with it in the feed. Of those from before, it is known where their messages are kept.
  `
ALTER TABLE feed ADD COLUMN kind TEXT;
ALTER TABLE feed ADD COLUMN actor TEXT;
UPDATE feed SET (kind, actor) = (
    SELECT kind, actor FROM notice
      WHERE notice.connection IS feed.connection AND notice.at = feed.at AND notice.message = feed.detail
      LIMIT 1
  ) WHERE event = 'notice';
DROP TRIGGER feed_of_notices;
CREATE TRIGGER feed_of_notices AFTER INSERT ON notice BEGIN
  INSERT INTO feed (at, event, connection, name, detail, kind, actor)
    VALUES (NEW.at, 'notice', NEW.connection, (SELECT name FROM connection WHERE id = NEW.connection), NEW.message, NEW.kind, NEW.actor);
END;
`,
  // A notice that was delivered is of no use to anybody: the feed has it as well.
  `
DELETE FROM notice WHERE delivered_at IS NOT NULL;
DROP INDEX notice_pending;
ALTER TABLE notice DROP COLUMN delivered_at;
`,
];
