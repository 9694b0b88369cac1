-- Who did what in the control center. Rows are only added.
CREATE TABLE control_center_audit (
    number bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     timestamptz NOT NULL DEFAULT now(),
    who    text        NOT NULL,
    role   text        NOT NULL,
    action text        NOT NULL,
    target text        NOT NULL,
    detail text        NOT NULL
);
COMMENT ON TABLE control_center_audit IS 'What was done in the control center, by whom: resets, replays, log-ins, personal data that was shown';
