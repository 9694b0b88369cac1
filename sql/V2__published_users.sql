-- What is published stands in a narrow table of its own, to which rows are only added: a mark in landed_users wrote the whole record and the
-- entries of its indexes once more.

CREATE TABLE published_users (
    sequence        bigint      PRIMARY KEY,
    kafka_partition integer     NOT NULL,
    kafka_offset    bigint      NOT NULL,
    published_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE published_users IS 'Users of landed_users whose event Kafka has acknowledged. Who is removed here is published again by the next run';
COMMENT ON COLUMN published_users.sequence IS 'That of landed_users. No foreign key: it would look there once for each row';

INSERT INTO published_users (sequence, kafka_partition, kafka_offset, published_at)
SELECT sequence, kafka_partition, kafka_offset, published_at FROM landed_users WHERE published_at IS NOT NULL ORDER BY sequence;

ALTER TABLE landing ADD COLUMN published_up_to bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN landing.published_up_to IS 'Every landed user up to this sequence is published';
UPDATE landing SET published_up_to = coalesce(
    (SELECT min(sequence) - 1 FROM landed_users WHERE published_at IS NULL), (SELECT max(sequence) FROM landed_users), 0
);

DROP INDEX landed_users_unpublished;
ALTER TABLE landed_users DROP COLUMN published_at, DROP COLUMN kafka_partition, DROP COLUMN kafka_offset;
COMMENT ON TABLE landed_users IS 'Users as the API sent them; published_users tells which of them are published';

-- Always to a lower number: a run that publishes meanwhile finds another one than it left, and does not raise it over what is removed here.
CREATE FUNCTION publish_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        UPDATE landing SET published_up_to = least(published_up_to, 1) - 1;
    ELSE
        UPDATE landing SET published_up_to = least(published_up_to, (SELECT min(sequence) FROM removed)) - 1;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER publish_removed_again AFTER DELETE ON published_users
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION publish_again();
CREATE TRIGGER publish_all_again AFTER TRUNCATE ON published_users
    FOR EACH STATEMENT EXECUTE FUNCTION publish_again();

-- A landing that is emptied may give its numbers again: none of them may count as published.
CREATE FUNCTION forget_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE published_users;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_all_published AFTER TRUNCATE ON landed_users
    FOR EACH STATEMENT EXECUTE FUNCTION forget_published();

-- Lands a page in one round trip, as before, and tells what the publishing needs to go on without reading it back: the highest number
-- before this page, the time of landing in milliseconds since 1970, and id and number of each new user, in their order.
DROP FUNCTION land_users(text, integer, uuid[], text[], bytea[]);
CREATE FUNCTION land_users(
    page_seed text, page_number integer, ids uuid[], raws text[], fingerprints bytea[],
    OUT landed bigint, OUT already_landed bigint, OUT conflicting bigint,
    OUT before bigint, OUT landed_at_ms bigint, OUT new_ids uuid[], OUT new_sequences bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
    -- One page at a time, so that numbers become visible in their order: what is published later never has a lower number than what was
    -- published before.
    PERFORM pg_advisory_xact_lock(hashtext('streamflow'), hashtext('landing'));
    before := coalesce((SELECT max(sequence) FROM landed_users), 0);
    landed_at_ms := extract(epoch FROM now()) * 1000;

    -- Most pages are new as a whole, and land for less than with ON CONFLICT, which takes a lock and writes a line of the log for each row.
    BEGIN
        WITH new AS (
            INSERT INTO landed_users (id, raw, fingerprint, seed, page)
            SELECT unnest(ids), unnest(raws)::json, unnest(fingerprints), page_seed, page_number
            RETURNING id, sequence
        )
        SELECT array_agg(id), array_agg(sequence) INTO new_ids, new_sequences FROM new;
    EXCEPTION WHEN unique_violation THEN
        WITH new AS (
            INSERT INTO landed_users (id, raw, fingerprint, seed, page)
            SELECT unnest(ids), unnest(raws)::json, unnest(fingerprints), page_seed, page_number
            ON CONFLICT (id) DO NOTHING
            RETURNING id, sequence
        )
        SELECT array_agg(id), array_agg(sequence) INTO new_ids, new_sequences FROM new;
    END;
    new_ids := coalesce(new_ids, '{}');
    new_sequences := coalesce(new_sequences, '{}');
    landed := cardinality(new_ids);

    conflicting := 0;
    IF landed < cardinality(ids) THEN
        SELECT count(*) INTO conflicting
        FROM unnest(ids, fingerprints) AS fetched (id, fingerprint)
        JOIN landed_users AS known ON known.id = fetched.id
        WHERE known.fingerprint <> fetched.fingerprint;
    END IF;

    IF conflicting > 0 THEN
        INSERT INTO kept_apart_users (reason, field, id, raw, fingerprint, seed, page)
        SELECT 'conflicting', 'login.uuid', fetched.id, fetched.raw, fetched.fingerprint, page_seed, page_number
        FROM unnest(ids, raws, fingerprints) WITH ORDINALITY AS fetched (id, raw, fingerprint, place)
        JOIN landed_users AS known ON known.id = fetched.id
        WHERE known.fingerprint <> fetched.fingerprint
        ORDER BY place
        ON CONFLICT (reason, fingerprint) DO NOTHING;
    END IF;

    already_landed := cardinality(ids) - landed - conflicting;
END
$$;
