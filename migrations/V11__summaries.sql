-- Counts, follows, blocks and gates are told as changed too, so that they can be remembered. There are many of them, and who writes changes
-- hundreds at once: a row tells of up to 1,000 of one kind. Nothing here is needed by an older binary, which may run beside it: it takes such
-- a row for a change of the account 0, which is none.
ALTER TABLE change ADD COLUMN keys int4[]; -- of coll -2: hashes (sr # sa, as in post_stat_subj) of records whose counts were changed
                                           -- -3: accounts whose counts were; -4: accounts whose follows or followers were; -5: accounts whose blocks were
ALTER TABLE change ALTER COLUMN keys SET STORAGE EXTERNAL;
ALTER TABLE change SET (toast_tuple_target = 8160);

-- Tells of these; NULL: of none.
CREATE FUNCTION change_many(kind int2, changed int4[]) RETURNS void LANGUAGE sql AS $$
  INSERT INTO change (author, coll, keys)
  SELECT 0, kind, changed[part : part + 999] FROM generate_series(1, cardinality(changed), 1000) part
$$;

CREATE FUNCTION change_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM change_many(-2::int2, (SELECT array_agg(DISTINCT ((sr # sa::int8) % 2147483647)::int4) FROM rows));
  RETURN NULL;
END $$;
CREATE TRIGGER change_insert AFTER INSERT ON post_stat REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_counts();
CREATE TRIGGER change_update AFTER UPDATE ON post_stat REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_counts();
CREATE TRIGGER change_delete AFTER DELETE ON post_stat REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_counts();

CREATE FUNCTION change_account_counts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM change_many(-3::int2, (SELECT array_agg(DISTINCT account) FROM rows));
  RETURN NULL;
END $$;
CREATE TRIGGER change_insert AFTER INSERT ON actor_stat REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_account_counts();
CREATE TRIGGER change_update AFTER UPDATE ON actor_stat REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_account_counts();
CREATE TRIGGER change_delete AFTER DELETE ON actor_stat REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_account_counts();

-- Of both who follow and who are followed.
CREATE FUNCTION change_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM change_many(-4::int2, (SELECT array_agg(DISTINCT key) FROM (SELECT author AS key FROM rows UNION ALL SELECT subject FROM rows) k));
  RETURN NULL;
END $$;
CREATE TRIGGER change_insert AFTER INSERT ON follow REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_follows();
CREATE TRIGGER change_update AFTER UPDATE ON follow REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_follows();
CREATE TRIGGER change_delete AFTER DELETE ON follow REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_follows();

-- Of those who block accounts or lists.
CREATE FUNCTION change_blocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM change_many(-5::int2, (SELECT array_agg(DISTINCT author) FROM rows));
  RETURN NULL;
END $$;
CREATE TRIGGER change_insert AFTER INSERT ON block REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_blocks();
CREATE TRIGGER change_update AFTER UPDATE ON block REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_blocks();
CREATE TRIGGER change_delete AFTER DELETE ON block REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_blocks();
CREATE TRIGGER change_insert AFTER INSERT ON listblock REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_blocks();
CREATE TRIGGER change_update AFTER UPDATE ON listblock REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_blocks();
CREATE TRIGGER change_delete AFTER DELETE ON listblock REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_blocks();

-- Gates of threads, for those too that have none so far. Told by their table, not by their records: a gate is made again without its record.
CREATE FUNCTION change_gates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author, coll, rkey) SELECT author, 13, rkey FROM rows;
  RETURN NULL;
END $$;
CREATE TRIGGER change_insert AFTER INSERT ON threadgate REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_gates();
CREATE TRIGGER change_update AFTER UPDATE ON threadgate REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_gates();
CREATE TRIGGER change_delete AFTER DELETE ON threadgate REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_gates();

-- As before, and those of which it is remembered how many an account has (7, 8, 9).
CREATE OR REPLACE FUNCTION change_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author, coll, rkey) SELECT author, coll, rkey FROM rows WHERE coll IN (1, 7, 8, 9, 10, 14, 16, 17, 18, 19, 20);
  RETURN NULL;
END $$;
