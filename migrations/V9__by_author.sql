-- Posts and reposts by their author in the exact order of their keys: a page of an author's or a timeline's is read from the index alone, not
-- from as many rows as lie somewhere else. `sort` stands in it (8 bytes a row, for it is NULL) so that the few rows whose time is not that of
-- their key are passed over there and found in the order of their own time beside them. For reposts `flags` tells what is no repost of a
-- post, or one of several. Each takes the place of two indexes (key; author and bucket of time).
CREATE UNIQUE INDEX post_author ON post (author, rkey) INCLUDE (sort);
CREATE INDEX post_author_dated ON post (author, coalesce(sort, rkey), rkey) WHERE sort IS NOT NULL;
DROP INDEX post_key, post_actor;

CREATE UNIQUE INDEX repost_author ON repost (author, rkey) INCLUDE (sort, flags);
CREATE INDEX repost_author_dated ON repost (author, coalesce(sort, rkey), rkey) WHERE sort IS NOT NULL;
DROP INDEX repost_key, repost_actor;

-- Everyone's, by buckets of 17 seconds: 8 bytes a row instead of 32, and none beside it for other times.
DROP INDEX post_time, repost_time;
CREATE INDEX post_time ON post (((coalesce(sort, rkey) >> 34)::int4));
CREATE INDEX repost_time ON repost (((coalesce(sort, rkey) >> 34)::int4));

-- Whether one follows the other, and counts, is told by the index alone. Not as a partial index: PostgreSQL takes `flags & 8 = 0` for one row
-- in two hundred and would go through all of it for the followers of an account.
DROP INDEX follow_pair;
CREATE INDEX follow_pair ON follow (author, subject) INCLUDE (flags);
