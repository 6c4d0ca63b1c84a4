-- Everything that is derived from records beyond the spine: the edges of lists and verifications, gates, notifications that are not edges,
-- what waits for a post that is not held, starter-pack joins; purges of deleted accounts; who works on which partition.
--
-- Every index key that repeats is bucketed (db/bucket.rs). Nothing here is needed by an older binary, which may run beside it.

-- A block of everyone on a list; sr, sa = the list.
CREATE TABLE listblock (rkey int8 NOT NULL, sr int8 NOT NULL, author int4 NOT NULL, sa int4 NOT NULL, dms int2, flags int2 NOT NULL DEFAULT 0);
CREATE INDEX listblock_pair  ON listblock (author, (((sr # sa::int8) % 2147483647)::int4));
CREATE INDEX listblock_actor ON listblock (author, ((rkey >> 50)::int4));
CREATE INDEX listblock_subj  ON listblock ((((sr # sa::int8) % 2147483647)::int4));

-- Who is on a list: the list is its author's own, with key lr.
CREATE TABLE listitem (rkey int8 NOT NULL, lr int8 NOT NULL, author int4 NOT NULL, subject int4 NOT NULL, dms int2, flags int2 NOT NULL DEFAULT 0);
CREATE INDEX listitem_pair  ON listitem (author, subject);
CREATE INDEX listitem_actor ON listitem (author, ((rkey >> 50)::int4));
CREATE INDEX listitem_list  ON listitem ((((lr # author::int8) % 2147483647)::int4), ((rkey >> 50)::int4));
CREATE INDEX listitem_subj  ON listitem (subject);

-- That an account is who it says; the record itself stands in record_exc.
CREATE TABLE verification (rkey int8 NOT NULL, author int4 NOT NULL, subject int4 NOT NULL, dms int2, flags int2 NOT NULL DEFAULT 0);
CREATE INDEX verification_pair  ON verification (author, subject);
CREATE INDEX verification_actor ON verification (author, ((rkey >> 50)::int4));
CREATE INDEX verification_subj  ON verification (subject);

-- Who may reply to the post (author, rkey); the record itself stands in record_other.
CREATE TABLE threadgate (
  rkey   int8 NOT NULL,
  author int4 NOT NULL,
  rules  int2 NOT NULL,                     -- 1 only those allowed below, 2 mentioned, 4 followers, 8 followed, 16 members of lists
  lists_r int8[], lists_a int4[],           -- lists whose members may reply
  hidden_r int8[], hidden_a int4[]          -- replies that the author hides
);
CREATE UNIQUE INDEX threadgate_post ON threadgate (author, rkey);

-- Who may quote the post (author, rkey): a row only where nobody may.
CREATE TABLE postgate (rkey int8 NOT NULL, author int4 NOT NULL);
CREATE UNIQUE INDEX postgate_post ON postgate (author, rkey);

-- Notifications that are no edges. Reasons: 1 mention, 2 reply, 3 quote, 4 starterpack-joined, 5 verified, 6 unverified.
CREATE TABLE notif (
  rkey      int8 NOT NULL,                  -- the record: a post (1-3), the profile (4), a verification (5, 6) of author
  sr        int8,                           -- the recipient's record that it is about: the post replied to or quoted, the starter pack
  sort      int8,                           -- its time as a TID value, where that is over a minute from rkey or rkey is no TID
  recipient int4 NOT NULL,
  author    int4 NOT NULL,
  reason    int2 NOT NULL
);
CREATE INDEX notif_recipient ON notif (recipient, ((coalesce(sort, rkey) >> 42)::int4));
CREATE INDEX notif_record    ON notif (author, ((rkey >> 46)::int4));

-- A reply whose notifications, or whose gate, wait for a post that is not held: the first missing of its five nearest ancestors, or its root.
CREATE TABLE pending (
  mr     int8 NOT NULL,                     -- the missing post
  ma     int4 NOT NULL,
  rkey   int8 NOT NULL,                     -- the reply
  author int4 NOT NULL,
  flags  int2 NOT NULL DEFAULT 0,           -- 1 its gate is judged
  since  timestamptz NOT NULL DEFAULT now() -- by this server's clock: only the time to live is counted from it
);
CREATE INDEX pending_missing ON pending ((((mr # ma::int8) % 2147483647)::int4));
CREATE UNIQUE INDEX pending_reply ON pending (author, rkey);
CREATE INDEX pending_since ON pending (since);

-- A profile that came through a starter pack (sr, sa); time = indexedAt of the profile that first said so, as a TID value.
CREATE TABLE pack_join (author int4 NOT NULL PRIMARY KEY, sr int8 NOT NULL, sa int4 NOT NULL, time int8 NOT NULL);
CREATE INDEX pack_join_pack ON pack_join ((((sr # sa::int8) % 2147483647)::int4), ((time >> 42)::int4));

-- Deleted accounts whose rows are still to be removed, in batches.
ALTER TABLE repo ADD COLUMN purge boolean NOT NULL DEFAULT false;
CREATE INDEX repo_purge ON repo (account) WHERE purge;

-- Which worker process works on a partition, over all sources. Only for fairness: what is right never depends on it.
CREATE TABLE lease (part int4 PRIMARY KEY, owner text NOT NULL, until timestamptz NOT NULL) WITH (fillfactor = 50);
