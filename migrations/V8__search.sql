-- Search: what posts, profiles and handles are found by.
--
-- Tokens (collection/search) stand in the row that they are made of: they go and change with it, whoever removes it. NULL: written by an older
-- binary; `appviewd reindex` makes them. The indexes are partial, so that rows without tokens cost nothing.
ALTER TABLE post ADD COLUMN tokens int4[];
CREATE INDEX post_tokens ON post USING gin (tokens) WITH (fastupdate = on, gin_pending_list_limit = 1024) WHERE tokens IS NOT NULL;

ALTER TABLE record_other ADD COLUMN tokens int4[];
CREATE INDEX record_other_tokens ON record_other USING gin (tokens) WITH (fastupdate = on, gin_pending_list_limit = 256) WHERE tokens IS NOT NULL;

-- The letters of a handle, three in a row as one number, '^' before the first (and '^' with the first alone), and the windows that the account
-- is in, less than 0. The same as collection::search::{grams, window_gram}.
CREATE FUNCTION handle_grams(handle text, account int4) RETURNS int4[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
  SELECT array_agg(DISTINCT g) FROM (
    SELECT (ascii(substr(h, i, 1)) << 16) | (ascii(substr(h, i + 1, 1)) << 8) | ascii(substr(h, i + 2, 1)) AS g
    FROM (SELECT '^' || $1 AS h) t, generate_series(1, length('^' || $1) - 2) AS i
    UNION ALL SELECT (94 << 8) | ascii(substr($1, 1, 1))
    UNION ALL SELECT -1 - ((l << 24) | ((2147483647 - $2) >> w)) FROM (VALUES (0, 12), (1, 17), (2, 22)) AS v (l, w)
  ) grams
$$;
CREATE INDEX account_grams ON account USING gin (handle_grams(handle, id)) WITH (fastupdate = on, gin_pending_list_limit = 256)
  WHERE handle IS NOT NULL;
