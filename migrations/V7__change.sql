-- What was changed of the rows that API processes remember. They read it at the beginning of each request and forget what it names, so that
-- nothing is shown that was changed before the request came. Written by triggers: no writer, not one of an older binary either, can forget
-- it. A row is kept for some minutes; whoever looks more seldom finds that it missed some.
CREATE TABLE change (
  xid    xid8 NOT NULL DEFAULT pg_current_xact_id(), -- who reads tells by it what its last look did not see
  author int4 NOT NULL,
  coll   int2 NOT NULL DEFAULT 0,                   -- collection of the record, 0 = the account; -1: what came before xid was removed
  rkey   int8 NOT NULL DEFAULT 0
);
CREATE INDEX change_xid ON change (xid);

-- Accounts: name, status, takedown. A row a statement at most as a rule, so row by row.
CREATE FUNCTION change_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author) VALUES ((to_jsonb(coalesce(NEW, OLD)) ->> TG_ARGV[0])::int4);
  RETURN NULL;
END $$;
CREATE TRIGGER change AFTER UPDATE OF handle ON account FOR EACH ROW
  WHEN (OLD.handle IS DISTINCT FROM NEW.handle) EXECUTE FUNCTION change_account('id');
CREATE TRIGGER change AFTER UPDATE OF status ON repo FOR EACH ROW
  WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION change_account('account');
CREATE TRIGGER change AFTER INSERT OR DELETE ON takedown_account FOR EACH ROW EXECUTE FUNCTION change_account('subject');

-- Posts that are updated or deleted; a new one was never remembered.
CREATE FUNCTION change_posts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author, coll, rkey) SELECT author, 2, rkey FROM rows;
  RETURN NULL;
END $$;
CREATE TRIGGER change_update AFTER UPDATE ON post REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_posts();
CREATE TRIGGER change_delete AFTER DELETE ON post REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_posts();

-- Records that are kept whole. Of accounts it is also remembered what they lack, so new profiles, labeler services, statuses and declarations
-- are told of as well.
CREATE FUNCTION change_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author, coll, rkey) SELECT author, coll, rkey FROM rows WHERE coll IN (1, 10, 16, 17, 18, 19, 20);
  RETURN NULL;
END $$;
CREATE TRIGGER change_insert AFTER INSERT ON record_other REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_own();

CREATE FUNCTION change_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author, coll, rkey) SELECT author, coll, rkey FROM rows;
  RETURN NULL;
END $$;
CREATE TRIGGER change_update AFTER UPDATE ON record_other REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_records();
CREATE TRIGGER change_delete AFTER DELETE ON record_other REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_records();

CREATE FUNCTION change_takedowns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author, coll, rkey) SELECT sa, coll, sr FROM rows;
  RETURN NULL;
END $$;
CREATE TRIGGER change_insert AFTER INSERT ON takedown_record REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_takedowns();
CREATE TRIGGER change_delete AFTER DELETE ON takedown_record REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_takedowns();
