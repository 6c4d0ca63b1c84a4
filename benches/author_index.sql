-- What the indexes of an author's posts cost, grown as they grow: two million rows in the order of time, by a million authors of whom few
-- write most. Run it in an empty database: psql -f benches/author_index.sql. Half a minute each; the tables are removed at the end.
\set ON_ERROR_STOP on
CREATE TABLE posts AS
  SELECT n::int8 << 20 AS rkey, floor(power(random(), 3) * 1000000)::int4 AS author,
    CASE WHEN random() < 0.01 THEN (n::int8 << 20) - 99999999 END AS sort, (random() * 60)::int2 AS flags
  FROM generate_series(1, 2000000) n ORDER BY n;
CREATE TABLE key_and_bucket (LIKE posts);
CREATE UNIQUE INDEX key_and_bucket_key ON key_and_bucket (rkey, author);
CREATE INDEX key_and_bucket_actor ON key_and_bucket (author, ((coalesce(sort, rkey) >> 36)::int4));
CREATE TABLE exact (LIKE posts);
CREATE UNIQUE INDEX exact_author ON exact (author, rkey);
CREATE TABLE exact_sort (LIKE posts);
CREATE UNIQUE INDEX exact_sort_author ON exact_sort (author, rkey) INCLUDE (sort);
CREATE INDEX exact_sort_time ON exact_sort (((coalesce(sort, rkey) >> 30)::int4));
CREATE TABLE exact_sort_flags (LIKE posts);
CREATE UNIQUE INDEX exact_sort_flags_author ON exact_sort_flags (author, rkey) INCLUDE (sort, flags);
CREATE TABLE time_first (LIKE posts);
CREATE UNIQUE INDEX time_first_author ON time_first (author, coalesce(sort, rkey), rkey);
\timing on
INSERT INTO key_and_bucket SELECT * FROM posts;
INSERT INTO exact SELECT * FROM posts;
INSERT INTO exact_sort SELECT * FROM posts;
INSERT INTO exact_sort_flags SELECT * FROM posts;
INSERT INTO time_first SELECT * FROM posts;
\timing off
SELECT relname, round(pg_relation_size(oid) / 2e6, 1) AS bytes_a_row FROM pg_class
  WHERE relname ~ '^(key_and_bucket|exact|exact_sort|exact_sort_flags|time_first)_[a-z]*$' AND relkind = 'i' ORDER BY 1;
DROP TABLE posts, key_and_bucket, exact, exact_sort, exact_sort_flags, time_first;
