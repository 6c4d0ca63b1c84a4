-- Who is who: verified handles, and which accounts are to be resolved.
--
-- The handle stands with the DID that every page reads anyway: no further lookup, and a handle leads to its account in one step. Ids, DIDs
-- and older binaries do not notice.
ALTER TABLE account ADD COLUMN handle text; -- lower case, checked in both directions; NULL: none is
CREATE UNIQUE INDEX account_handle ON account (handle) WHERE handle IS NOT NULL;

-- A row exists from the first event of an account's own on: written by apply, in the same transaction; also what a worker has still to do.
-- Times are seconds since 2020-01-01 by this server's clock, in four bytes, and equal ones deduplicate in the index.
CREATE TABLE identity (
  account int4 NOT NULL PRIMARY KEY,
  due     int4 NOT NULL,                    -- when to resolve it: <= 0 at once, less with each #identity event; 1 seen first; else a time
  checked int4,                             -- when it was last resolved for certain
  failed  int2 NOT NULL DEFAULT 0,          -- why there is no handle (codes in db/identity.rs); 0: there is one, or not known yet
  tries   int2 NOT NULL DEFAULT 0           -- checks in a row that came to the same: the next is put off for longer
) WITH (fillfactor = 90);
CREATE INDEX identity_due ON identity (due);
-- What is still being resolved: `identity.pending`.
CREATE INDEX identity_pending ON identity (due) WHERE due <= 1 OR failed = 1;
