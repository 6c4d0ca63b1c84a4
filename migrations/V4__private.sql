-- What people and operators write through the API, and no relay ever sends: mutes, seen marks, takedowns, trusted verifiers; and which
-- commands were applied. A purge of an account removes the rows whose `account` it is; those about it (`subject`, `sa`) belong to others.
--
-- Times are microseconds since 1970, as the command carries them. Nothing here is needed by an older binary, which may run beside it.

-- A command that was applied, or that never can be: what comes again under its id is passed over. Kept for a day.
CREATE TABLE command (
  id         bytea PRIMARY KEY,             -- 16 bytes
  result     jsonb NOT NULL,                -- what its caller is answered
  applied_at timestamptz NOT NULL DEFAULT now() -- by this server's clock: only the time to keep it is counted from it
);
CREATE INDEX command_applied ON command (applied_at);

-- Accounts that an account mutes.
CREATE TABLE mute (
  account int4 NOT NULL,
  subject int4 NOT NULL,
  time    int8 NOT NULL,                    -- of the command that began it
  scope   int2 NOT NULL DEFAULT 0           -- 0 everything, else the sum of 1 reposts, 2 quote posts
);
CREATE UNIQUE INDEX mute_pair ON mute (account, subject);
CREATE INDEX mute_time ON mute (account, time);

-- Lists whose members an account mutes; sr, sa = the list.
CREATE TABLE list_mute (account int4 NOT NULL, sa int4 NOT NULL, sr int8 NOT NULL, time int8 NOT NULL);
CREATE UNIQUE INDEX list_mute_pair ON list_mute (account, sa, sr);
CREATE INDEX list_mute_time ON list_mute (account, time);

-- Threads from which an account wants no notifications; sr, sa = the root post.
CREATE TABLE thread_mute (account int4 NOT NULL, sa int4 NOT NULL, sr int8 NOT NULL, time int8 NOT NULL);
CREATE UNIQUE INDEX thread_mute_pair ON thread_mute (account, sa, sr);

-- Up to when an account has seen its notifications, as its client last said.
CREATE TABLE seen (account int4 NOT NULL PRIMARY KEY, time int8 NOT NULL) WITH (fillfactor = 80);

-- What operators and the moderation service have taken down; ref = their own name of the case, where they gave one.
CREATE TABLE takedown_account (subject int4 NOT NULL PRIMARY KEY, time int8 NOT NULL, ref text);
CREATE TABLE takedown_record (sr int8 NOT NULL, sa int4 NOT NULL, coll int2 NOT NULL, time int8 NOT NULL, ref text);
CREATE UNIQUE INDEX takedown_record_pk ON takedown_record (sa, coll, sr);
CREATE TABLE takedown_blob (sa int4 NOT NULL, cid bytea NOT NULL, time int8 NOT NULL, ref text);
CREATE UNIQUE INDEX takedown_blob_pk ON takedown_blob (sa, cid);

-- Accounts whose verifications are shown.
CREATE TABLE trusted_verifier (subject int4 NOT NULL PRIMARY KEY, time int8 NOT NULL);
