-- The spine: positions, accounts, repos, the derived tables of issue-one collections, kept records, dead letters.
--
-- Keys: accounts are int4 ids; a record's key is its TID as 64 bits, a key that is no TID a negative id (rkey_alias).
-- h31 = (r # a) % 2147483647 names a subject in four bytes and is always rechecked. Buckets (rkey >> n) make index keys equal on purpose,
-- so that btree deduplication makes a row cost about 6 bytes. The module db/bucket.rs holds both.

-- What this database is: 'partitions' and 'hash' of the queue.
CREATE TABLE meta (key text PRIMARY KEY, value text NOT NULL);

-- Exactly the partition's events up to (epoch, seq) are applied.
CREATE TABLE stream_offset (
  source text NOT NULL,
  part   int4 NOT NULL,
  epoch  int8 NOT NULL,
  seq    int8 NOT NULL,
  PRIMARY KEY (source, part)
) WITH (fillfactor = 50);

-- One row a process, rewritten every second.
CREATE TABLE heartbeat (
  process text PRIMARY KEY,
  roles   text NOT NULL,
  seen_at timestamptz NOT NULL,
  status  jsonb NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE account (
  id  int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  did text NOT NULL
);
CREATE UNIQUE INDEX account_did ON account (did);

-- A record key that is no TID; one sequence, so that an id names one path of the whole index.
CREATE SEQUENCE rkey_alias_id AS int8 INCREMENT -1 MINVALUE -9223372036854775808 MAXVALUE -1 START -1;
CREATE TABLE rkey_alias (
  author    int4 NOT NULL,
  coll      int2 NOT NULL,
  rkey      int8 NOT NULL DEFAULT nextval('rkey_alias_id'),
  real_rkey text NOT NULL
);
CREATE UNIQUE INDEX rkey_alias_pk ON rkey_alias (author, coll, rkey);
CREATE UNIQUE INDEX rkey_alias_real ON rkey_alias (author, coll, real_rkey);

-- Collections that the code does not number itself, from 1000 on (collection::Coll holds the known ones).
CREATE TABLE collection (
  id   int2 GENERATED ALWAYS AS IDENTITY (START WITH 1000) PRIMARY KEY,
  nsid text NOT NULL UNIQUE
);

-- What is known of a repo. A row exists from its first event on, not from its first mention.
CREATE TABLE repo (
  account     int4 NOT NULL PRIMARY KEY,
  rev         int8,                         -- newest applied rev; NULL: no commit yet
  data        bytea,                        -- root of the tree at rev, 36 bytes
  state       int2 NOT NULL DEFAULT 0,      -- 0 in sync, 1 desynchronized
  fault       text,                         -- why desynchronized, as first seen
  status      int2 NOT NULL DEFAULT 0,      -- 0 active, else why it is hidden (codes in db/repo.rs)
  status_time int8,                         -- microseconds of the #account event that set it
  handle      text                          -- as #identity last said, unchecked
) WITH (fillfactor = 80);

CREATE TABLE "like" (
  rkey   int8 NOT NULL,                     -- own TID
  sr     int8 NOT NULL,                     -- subject's rkey
  author int4 NOT NULL,
  sa     int4 NOT NULL,                     -- subject's author
  via    int4,                              -- author of the repost it was liked through
  dms    int2,                              -- createdAt - TID in ms; NULL: the record is in record_exc
  flags  int2 NOT NULL DEFAULT 0            -- 2 record in record_exc, 8 duplicate (not counted), 0x70 kind of subject
);
CREATE INDEX like_actor ON "like" (author, ((rkey >> 46)::int4));
CREATE INDEX like_pair  ON "like" (author, (((sr # sa::int8) % 2147483647)::int4));
CREATE INDEX like_subj  ON "like" ((((sr # sa::int8) % 2147483647)::int4), ((rkey >> 40)::int4));
CREATE INDEX like_notif ON "like" (sa, ((rkey >> 42)::int4));
CREATE INDEX like_via   ON "like" (via, ((rkey >> 42)::int4)) WHERE via IS NOT NULL;

CREATE TABLE repost (
  rkey int8 NOT NULL, sr int8 NOT NULL, author int4 NOT NULL, sa int4 NOT NULL, via int4, dms int2,
  flags int2 NOT NULL DEFAULT 0,
  sort int8                                 -- sortAt as a TID value, where it is over a minute from rkey
);
CREATE INDEX repost_time  ON repost (coalesce(sort, rkey), author);
CREATE INDEX repost_key   ON repost (author, ((rkey >> 46)::int4));
CREATE INDEX repost_actor ON repost (author, ((coalesce(sort, rkey) >> 46)::int4));
CREATE INDEX repost_pair  ON repost (author, (((sr # sa::int8) % 2147483647)::int4));
CREATE INDEX repost_subj  ON repost ((((sr # sa::int8) % 2147483647)::int4), ((rkey >> 40)::int4));
CREATE INDEX repost_notif ON repost (sa, ((rkey >> 42)::int4));
CREATE INDEX repost_via   ON repost (via, ((rkey >> 42)::int4)) WHERE via IS NOT NULL;

CREATE TABLE follow (rkey int8 NOT NULL, author int4 NOT NULL, subject int4 NOT NULL, via int4, dms int2, flags int2 NOT NULL DEFAULT 0);
CREATE INDEX follow_pair  ON follow (author, subject);
CREATE INDEX follow_actor ON follow (author, ((rkey >> 50)::int4));
CREATE INDEX follow_subj  ON follow (subject, ((rkey >> 46)::int4));

CREATE TABLE block (rkey int8 NOT NULL, author int4 NOT NULL, subject int4 NOT NULL, dms int2, flags int2 NOT NULL DEFAULT 0);
CREATE INDEX block_pair  ON block (author, subject);
CREATE INDEX block_actor ON block (author, ((rkey >> 50)::int4));
CREATE INDEX block_subj  ON block (subject);

CREATE TABLE post (
  rkey int8 NOT NULL, author int4 NOT NULL,
  flags int2 NOT NULL,                      -- 1 reply, 2 quote, 4 media, 8 video
  rec bytea NOT NULL,                       -- byte 0: dictionary id (0 none); then a zstd frame
  parent_r int8, parent_a int4,
  root_r int8, root_a int4,                 -- only where root <> parent
  quote_r int8, quote_a int4,
  sort int8
);
ALTER TABLE post ALTER rec SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX post_key ON post (rkey, author);
CREATE INDEX post_time   ON post (coalesce(sort, rkey), author) WHERE sort IS NOT NULL;
CREATE INDEX post_actor  ON post (author, ((coalesce(sort, rkey) >> 46)::int4));
CREATE INDEX post_parent ON post ((((parent_r # parent_a::int8) % 2147483647)::int4), ((rkey >> 39)::int4)) WHERE parent_r IS NOT NULL;
CREATE INDEX post_root   ON post ((((root_r # root_a::int8) % 2147483647)::int4), ((rkey >> 39)::int4)) WHERE root_r IS NOT NULL;
CREATE INDEX post_quote  ON post ((((quote_r # quote_a::int8) % 2147483647)::int4), ((rkey >> 39)::int4)) WHERE quote_r IS NOT NULL;

-- Counts of a subject (a record of any kind); NULL = 0. cid: the subject's CID as the first edge named it.
CREATE TABLE post_stat (sr int8 NOT NULL, sa int4 NOT NULL, kind int2 NOT NULL, likes int4, reposts int4, replies int4, quotes int4, cid bytea)
  WITH (fillfactor = 90);
CREATE INDEX post_stat_subj ON post_stat ((((sr # sa::int8) % 2147483647)::int4));

CREATE TABLE actor_stat (account int4 NOT NULL PRIMARY KEY, followers int4, follows int4, posts int4) WITH (fillfactor = 90);

-- Kept whole: profiles, every collection without a table of its own, and (record_exc) edges that their columns cannot rebuild.
CREATE TABLE record_other (rkey int8 NOT NULL, author int4 NOT NULL, coll int2 NOT NULL, flags int2 NOT NULL DEFAULT 0, rec bytea NOT NULL);
CREATE UNIQUE INDEX record_other_pk ON record_other (author, coll, rkey);
ALTER TABLE record_other ALTER rec SET STORAGE EXTERNAL;
CREATE TABLE record_exc (rkey int8 NOT NULL, author int4 NOT NULL, coll int2 NOT NULL, flags int2 NOT NULL DEFAULT 0, rec bytea NOT NULL);
CREATE UNIQUE INDEX record_exc_pk ON record_exc (rkey, author, coll);
ALTER TABLE record_exc ALTER rec SET STORAGE EXTERNAL;

-- A record operation that could not be indexed, kept until it is replayed or a later op on its path replaces it.
CREATE TABLE dead_letter (
  id      int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account int4 NOT NULL,
  coll    text NOT NULL,
  rkey    text NOT NULL,
  action  text NOT NULL,                    -- create, update, delete
  rev     int8 NOT NULL,
  seq     int8 NOT NULL,
  time    int8 NOT NULL,                    -- indexedAt, microseconds
  cid     bytea,
  reason  text NOT NULL,
  record  bytea NOT NULL
);
CREATE UNIQUE INDEX dead_letter_path ON dead_letter (account, coll, rkey);
-- Letters of a repo and day (UTC, days since 1970), kept and beyond the limit.
CREATE TABLE dead_letter_day (account int4 NOT NULL, day int4 NOT NULL, kept int4 NOT NULL DEFAULT 0, dropped int8 NOT NULL DEFAULT 0, PRIMARY KEY (account, day));

-- What ingest saw and could not use: frames refused (account known), bytes that are no frame (account NULL), events a relay could not replay.
CREATE TABLE reject (source text NOT NULL, epoch int8 NOT NULL, seq int8 NOT NULL, account int4, time int8 NOT NULL, reason text NOT NULL, frame bytea NOT NULL);
CREATE UNIQUE INDEX reject_seq ON reject (source, epoch, seq, account) NULLS NOT DISTINCT;
CREATE TABLE gap (source text NOT NULL, part int4 NOT NULL, from_epoch int8 NOT NULL, from_seq int8 NOT NULL, to_epoch int8 NOT NULL, to_seq int8 NOT NULL, time int8 NOT NULL);
