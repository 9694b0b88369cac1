-- Whether two records of one id are the same is told when the second one comes: the program reads the first one back and compares the two.
-- A digest of each landed record served only that, and was more than a third of what the program does for a user.

-- Pages are written by COPY, in a transaction of the program, which takes the same advisory lock.
DROP FUNCTION land_users(text, integer, uuid[], text[], bytea[]);

ALTER TABLE landed_users DROP COLUMN fingerprint;

COMMENT ON COLUMN kept_apart_users.fingerprint IS 'SHA-256 of the record without the two ages: the same record is kept apart once for each reason';
