-- What else is told as changed, so that it can be remembered with the account or the post: whom trusted accounts verify, who is trusted, and
-- the gate of a post against quotes. Nothing here is needed by an older binary, which may run beside it.

-- Verifications, of whoever makes them: who is trusted may change after them.
CREATE FUNCTION change_verified() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN INSERT INTO change (author) VALUES (OLD.subject); END IF;
  IF TG_OP <> 'DELETE' THEN INSERT INTO change (author) VALUES (NEW.subject); END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER change AFTER INSERT OR UPDATE OR DELETE ON verification FOR EACH ROW EXECUTE FUNCTION change_verified();

-- Who is trusted, and all whom they verify.
CREATE FUNCTION change_trusted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author)
  SELECT subject FROM rows UNION SELECT v.subject FROM rows JOIN verification v ON v.author = rows.subject;
  RETURN NULL;
END $$;
CREATE TRIGGER change_insert AFTER INSERT ON trusted_verifier REFERENCING NEW TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_trusted();
CREATE TRIGGER change_delete AFTER DELETE ON trusted_verifier REFERENCING OLD TABLE AS rows FOR EACH STATEMENT EXECUTE FUNCTION change_trusted();

-- As before, and the gate of a post against quotes (14), which is remembered with the post.
CREATE OR REPLACE FUNCTION change_own() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO change (author, coll, rkey) SELECT author, coll, rkey FROM rows WHERE coll IN (1, 10, 14, 16, 17, 18, 19, 20);
  RETURN NULL;
END $$;
