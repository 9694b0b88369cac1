-- Dead letters that were put on their topic again: which, how often and where, whatever broke off on the way. Rows are written before a
-- record is produced, and completed when Kafka has acknowledged it.

CREATE TABLE replays (
    number   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun_at timestamptz NOT NULL DEFAULT now(),
    who      text        NOT NULL,
    letters  integer     NOT NULL,
    ended_at timestamptz,
    trouble  text
);
COMMENT ON TABLE replays IS 'Each replay of dead letters; ended_at is empty while it runs, or when its program was ended before';
COMMENT ON COLUMN replays.letters IS 'How many were to be replayed';

-- A letter and its origin are named with their times: a topic that was made anew gives its offsets again.
CREATE TABLE replayed_letters (
    topic            text        NOT NULL,
    kafka_partition  integer     NOT NULL,
    kafka_offset     bigint      NOT NULL,
    written_ms       bigint      NOT NULL,
    origin_topic     text        NOT NULL,
    origin_partition integer     NOT NULL,
    origin_offset    bigint      NOT NULL,
    origin_ms        bigint      NOT NULL,
    replay           bigint      NOT NULL REFERENCES replays,
    times            integer     NOT NULL,
    begun_at         timestamptz NOT NULL DEFAULT now(),
    begun_after      text        NOT NULL,
    new_partition    integer,
    new_offset       bigint,
    replayed_at      timestamptz,
    PRIMARY KEY (topic, kafka_partition, kafka_offset, written_ms),
    -- Both jobs write a letter for a record: it is replayed once.
    UNIQUE (origin_topic, origin_partition, origin_offset, origin_ms),
    CHECK ((replayed_at IS NULL) = (new_partition IS NULL) AND (replayed_at IS NULL) = (new_offset IS NULL))
);
COMMENT ON TABLE replayed_letters IS 'Dead letters that were put on their topic again; without replayed_at it is not known yet whether Kafka has the record';
COMMENT ON COLUMN replayed_letters.times IS 'How often the record has been replayed with this time';
COMMENT ON COLUMN replayed_letters.begun_after IS 'Offsets of the topic before the record was sent: it can only lie behind them';
CREATE INDEX replayed_letters_by_new_place ON replayed_letters (origin_topic, new_partition, new_offset);
CREATE INDEX replayed_letters_by_replay ON replayed_letters (replay);
