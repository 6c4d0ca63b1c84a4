-- Labels: what labelers say of accounts and records, as of their newest word on each.
--
-- A row is one labeler's word on (subject, value, CID); a word that it took back stays as a row with `neg`, so that an older one that comes
-- again does not bring it back. Labels belong to the labeler: a purge of the account that they are about leaves them.
-- Times are microseconds since 1970. Nothing here is needed by an older binary, which may run beside it.

-- Whom labels are taken from, and up to where: exactly its labels up to (epoch, seq) are applied. Its id is a bit of a set of 128.
CREATE TABLE labeler (
  id      int2 PRIMARY KEY CHECK (id BETWEEN 0 AND 127),
  account int4 NOT NULL UNIQUE,
  epoch   int8 NOT NULL,
  seq     int8 NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE label_value (id int4 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, val text NOT NULL UNIQUE);

-- Subjects that are neither an account nor a record of a collection that the code numbers.
CREATE TABLE label_uri (id int8 GENERATED ALWAYS AS IDENTITY PRIMARY KEY, uri text NOT NULL);
CREATE INDEX label_uri_hash ON label_uri (hashtextextended(uri, 0));

-- The subject (db/label.rs): sa, coll, sr = a record; coll 0 an account; coll -1 the row sr of label_uri.
CREATE TABLE label (
  sr      int8 NOT NULL,
  cts     int8 NOT NULL,
  sa      int4 NOT NULL,
  val     int4 NOT NULL,
  coll    int2 NOT NULL,
  labeler int2 NOT NULL,
  neg     boolean NOT NULL,
  exp     int8,
  cid     bytea                             -- the version of the record that it is about; NULL: all of them
) WITH (fillfactor = 90);
CREATE UNIQUE INDEX label_subject ON label (sa, coll, sr, labeler, val, cid) NULLS NOT DISTINCT;
