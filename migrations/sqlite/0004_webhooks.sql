-- Webhooks: endpoints, events, one sendout for each endpoint that wants an event, and each attempt of it. Times are milliseconds since 1970, UTC.

CREATE TABLE endpoints (
    project_id       BIGINT NOT NULL,
    id               TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    target_url       TEXT NOT NULL,
    description      TEXT NOT NULL,
    -- JSON: types, exact, or with a * at the end.
    events           TEXT NOT NULL,
    active           SMALLINT NOT NULL,
    -- 0 project, 1 distribution.
    source           SMALLINT NOT NULL,
    -- Sealed with the instance key.
    secret           BLOB NOT NULL,
    old_secret       BLOB,
    old_secret_until BIGINT,
    headers          BLOB,
    -- Requests a second; NULL for as many as it takes.
    rate_limit       INTEGER,
    -- Set where this service switched it off, with the reason in words.
    disabled_at      BIGINT,
    disabled_reason  TEXT,
    -- When the latest successful attempt began.
    last_success_at  BIGINT,
    -- Set where it was deleted: its sendouts keep it.
    deleted_at       BIGINT,
    PRIMARY KEY (project_id, id)
);

CREATE TABLE events (
    project_id  BIGINT NOT NULL,
    id          TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    type        TEXT NOT NULL,
    entity_id   TEXT,
    -- The id of the request that it came of.
    group_id    TEXT,
    -- 0 project, 1 distribution; NULL for both.
    source      SMALLINT,
    channel     TEXT,
    user_id     TEXT,
    key_name    TEXT,
    app_id      TEXT,
    -- JSON, zstd where that is smaller, sealed with the instance key.
    data        BLOB NOT NULL,
    -- SHA-256 of what a repeat under the same id must have in common with it.
    fingerprint BLOB NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX events_by_group ON events (project_id, group_id, created_at) WHERE group_id IS NOT NULL;

CREATE TABLE sendouts (
    project_id       BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    id               TEXT NOT NULL,
    updated_at       BIGINT NOT NULL,
    event_id         TEXT NOT NULL,
    endpoint_id      TEXT NOT NULL,
    type             TEXT NOT NULL,
    -- 0 PENDING, 1 RETRYING, 2 SUCCEEDED, 3 FAILED.
    status           SMALLINT NOT NULL,
    -- 1 where it waits for its endpoint to be switched on again.
    paused           SMALLINT NOT NULL,
    -- Attempts made, and those of them that the schedule made.
    attempts         INTEGER NOT NULL,
    tries            INTEGER NOT NULL,
    -- When it is to be sent; NULL where nothing is.
    due_at           BIGINT,
    -- 1 where the attempt that is due was asked for by hand; the schedule's own time is then kept beside it.
    by_hand          SMALLINT NOT NULL,
    scheduled_at     BIGINT,
    last_code        SMALLINT,
    last_error       TEXT,
    duration_ms      BIGINT,
    executed_at      BIGINT,
    first_attempt_at BIGINT,
    request_id       TEXT,
    entity_id        TEXT,
    source           SMALLINT NOT NULL,
    target_url       TEXT NOT NULL,
    PRIMARY KEY (project_id, created_at, id)
);
CREATE UNIQUE INDEX sendouts_by_id ON sendouts (project_id, id);
CREATE INDEX sendouts_due ON sendouts (project_id, endpoint_id, due_at, created_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX sendouts_paused ON sendouts (project_id, endpoint_id, created_at, id) WHERE paused = 1;
CREATE INDEX sendouts_by_status ON sendouts (project_id, status, created_at, id);
CREATE INDEX sendouts_by_type ON sendouts (project_id, type, created_at, id);
CREATE INDEX sendouts_by_endpoint ON sendouts (project_id, endpoint_id, created_at, id);
CREATE INDEX sendouts_by_code ON sendouts (project_id, last_code, created_at, id) WHERE last_code >= 300;
CREATE INDEX sendouts_by_request_id ON sendouts (project_id, request_id, created_at, id) WHERE request_id IS NOT NULL;
CREATE INDEX sendouts_by_event ON sendouts (project_id, event_id);

CREATE TABLE attempts (
    project_id    BIGINT NOT NULL,
    sendout_id    TEXT NOT NULL,
    number        INTEGER NOT NULL,
    at            BIGINT NOT NULL,
    by_hand       SMALLINT NOT NULL,
    code          SMALLINT,
    error         TEXT,
    -- Microseconds.
    resolve_us    BIGINT,
    connect_us    BIGINT,
    first_byte_us BIGINT,
    total_us      BIGINT NOT NULL,
    address       TEXT,
    -- JSON of both sides' headers and of the answer's body, sealed with the instance key.
    content       BLOB NOT NULL,
    PRIMARY KEY (project_id, sendout_id, number)
);

-- Whose an endpoint's sending is, and until when unless they are heard of: one process at a time, so that order, the number in flight and the
-- rate limit need no claim for each sendout.
CREATE TABLE lanes (
    project_id  BIGINT NOT NULL,
    endpoint_id TEXT NOT NULL,
    holder      TEXT NOT NULL,
    -- Rises with each claim.
    claim       BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (project_id, endpoint_id)
);

-- Failed logs that the event log.failure has not told of yet, by the API's endpoint.
CREATE TABLE failure_counts (
    project_id BIGINT NOT NULL,
    endpoint   TEXT NOT NULL,
    waiting    BIGINT NOT NULL,
    told       BIGINT NOT NULL,
    told_at    BIGINT NOT NULL,
    PRIMARY KEY (project_id, endpoint)
);
CREATE INDEX failure_counts_waiting ON failure_counts (told_at) WHERE waiting > 0;
