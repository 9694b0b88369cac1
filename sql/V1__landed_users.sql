-- The landing: every record of the API, raw, and the outbox from which it is published.

-- Names this database, so that its numbers are never taken for those of another one.
CREATE TABLE landing (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    id       uuid    NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO landing DEFAULT VALUES;

CREATE TABLE landed_users (
    sequence        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              uuid        NOT NULL UNIQUE,
    raw             json        NOT NULL,
    fingerprint     bytea       NOT NULL,
    seed            text        NOT NULL,
    page            integer     NOT NULL,
    landed_at       timestamptz NOT NULL DEFAULT now(),
    published_at    timestamptz,
    kafka_partition integer,
    kafka_offset    bigint,
    CHECK ((published_at IS NULL) = (kafka_partition IS NULL) AND (published_at IS NULL) = (kafka_offset IS NULL))
);
COMMENT ON TABLE landed_users IS 'Users as the API sent them; published_at is set when Kafka has acknowledged the event';
COMMENT ON COLUMN landed_users.id IS 'login.uuid';
COMMENT ON COLUMN landed_users.sequence IS 'Order of landing, in which users are published';
COMMENT ON COLUMN landed_users.fingerprint IS 'SHA-256 of the record without the two ages';

CREATE INDEX landed_users_unpublished ON landed_users (sequence) WHERE published_at IS NULL;

CREATE TABLE kept_apart_users (
    number      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reason      text        NOT NULL,
    field       text,
    id          uuid,
    raw         text        NOT NULL,
    fingerprint bytea       NOT NULL,
    seed        text        NOT NULL,
    page        integer     NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (reason, fingerprint)
);
COMMENT ON TABLE kept_apart_users IS 'Records that are not published, raw, with the reason; conflicting: another person has landed under this id before';

-- Lands a page in one round trip. Pages are landed one at a time, so that numbers become visible in their order: what is published later
-- never has a lower number than what was published before.
CREATE FUNCTION land_users(
    page_seed text, page_number integer, ids uuid[], raws text[], fingerprints bytea[],
    OUT landed bigint, OUT already_landed bigint, OUT conflicting bigint
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('streamflow'), hashtext('landing'));

    INSERT INTO landed_users (id, raw, fingerprint, seed, page)
    SELECT fetched.id, fetched.raw::json, fetched.fingerprint, page_seed, page_number
    FROM unnest(ids, raws, fingerprints) WITH ORDINALITY AS fetched (id, raw, fingerprint, place)
    ORDER BY place
    ON CONFLICT (id) DO NOTHING;
    GET DIAGNOSTICS landed = ROW_COUNT;

    SELECT count(*) INTO conflicting
    FROM unnest(ids, fingerprints) AS fetched (id, fingerprint)
    JOIN landed_users AS known ON known.id = fetched.id
    WHERE known.fingerprint <> fetched.fingerprint;

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
