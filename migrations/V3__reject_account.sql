-- Frames that were put aside go with their account when it is deleted: they hold its records.
CREATE INDEX reject_account ON reject (account) WHERE account IS NOT NULL;
