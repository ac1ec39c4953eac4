-- Logs: narrow rows for lists, blocks with signatures for what they say, counts for histograms and choices.
-- Every key begins with the project. Times are BIGINT milliseconds since 1970 (UTC); durations are microseconds.

CREATE TABLE projects (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_id          TEXT COLLATE "C" NOT NULL UNIQUE,
    name               TEXT NOT NULL,
    time_zone          TEXT NOT NULL DEFAULT 'UTC',
    created_at         BIGINT NOT NULL,
    -- The project's own route templates: a JSON array of texts.
    endpoint_templates TEXT NOT NULL DEFAULT '[]'
);

-- Ingest order. A writer takes a range of 10,000 numbers with each nextval; block ids are numbers of the same kind.
CREATE SEQUENCE log_seq INCREMENT BY 10000 MINVALUE 1 START 1;

-- Ordered by time within a project and an origin: the list without filters reads the key itself.
CREATE TABLE logs (
    project_id      BIGINT NOT NULL,
    origin          SMALLINT NOT NULL,
    created_at      BIGINT NOT NULL,
    id              TEXT COLLATE "C" NOT NULL,
    -- Ingest order: an export reads up to the number that stood when it began.
    seq             BIGINT NOT NULL,
    -- Where the text lies. NULL once the text has expired.
    block_id        BIGINT,
    slot            SMALLINT NOT NULL,
    status          SMALLINT NOT NULL,
    status_code     SMALLINT,
    notes           SMALLINT NOT NULL,
    duration_us     BIGINT,
    request_bytes   BIGINT NOT NULL,
    response_bytes  BIGINT NOT NULL,
    method          TEXT COLLATE "C" NOT NULL,
    endpoint        TEXT COLLATE "C" NOT NULL,
    path            TEXT COLLATE "C" NOT NULL,
    request_id      TEXT COLLATE "C",
    channel         TEXT COLLATE "C",
    user_email      TEXT COLLATE "C",
    user_id         TEXT COLLATE "C",
    app_id          TEXT COLLATE "C",
    app_name        TEXT COLLATE "C",
    client_app_id   TEXT COLLATE "C",
    ip              TEXT COLLATE "C",
    resource_type   TEXT COLLATE "C",
    resource_id     TEXT COLLATE "C",
    async_action_id TEXT COLLATE "C",
    PRIMARY KEY (project_id, origin, created_at, id)
) PARTITION BY RANGE (created_at);

-- One index a filter that a person combines with the time range, each in the list's order.
CREATE INDEX logs_by_status ON logs (project_id, origin, status, created_at, id);
CREATE INDEX logs_by_status_code ON logs (project_id, origin, status_code, created_at, id);
CREATE INDEX logs_by_method ON logs (project_id, origin, method, created_at, id);
CREATE INDEX logs_by_endpoint ON logs (project_id, origin, endpoint, created_at, id);
CREATE INDEX logs_by_channel ON logs (project_id, origin, channel, created_at, id) WHERE channel IS NOT NULL;
CREATE INDEX logs_by_user_email ON logs (project_id, origin, user_email, created_at, id) WHERE user_email IS NOT NULL;
CREATE INDEX logs_by_user_id ON logs (project_id, origin, user_id, created_at, id) WHERE user_id IS NOT NULL;
CREATE INDEX logs_by_app_id ON logs (project_id, origin, app_id, created_at, id) WHERE app_id IS NOT NULL;
CREATE INDEX logs_by_app_name ON logs (project_id, origin, app_name, created_at, id) WHERE app_name IS NOT NULL;
CREATE INDEX logs_by_client_app_id ON logs (project_id, origin, client_app_id, created_at, id) WHERE client_app_id IS NOT NULL;
CREATE INDEX logs_by_request_id ON logs (project_id, origin, request_id, created_at, id) WHERE request_id IS NOT NULL;
CREATE INDEX logs_by_ip ON logs (project_id, origin, ip, created_at, id) WHERE ip IS NOT NULL;
CREATE INDEX logs_by_resource ON logs (project_id, origin, resource_type, resource_id, created_at, id) WHERE resource_id IS NOT NULL;

-- A client's own ids, one a project; ids of our own carry their time in them.
CREATE TABLE log_ids (
    project_id BIGINT NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);

-- What logs say: up to 64 of them in the order of (time, id), one zstd frame.
CREATE TABLE log_blocks (
    project_id BIGINT NOT NULL,
    id         BIGINT NOT NULL,
    min_time   BIGINT NOT NULL,
    max_time   BIGINT NOT NULL,
    count      SMALLINT NOT NULL,
    -- 1 while the block is small enough to be merged with its neighbours.
    small      SMALLINT NOT NULL,
    -- Bytes of text before compression.
    bytes      BIGINT NOT NULL,
    -- SHA-256 of the content before compression.
    sha256     BYTEA NOT NULL,
    content    BYTEA NOT NULL,
    PRIMARY KEY (project_id, min_time, id)
) PARTITION BY RANGE (min_time);
-- It is compressed already.
ALTER TABLE log_blocks ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX log_blocks_by_id ON log_blocks (project_id, id);
CREATE INDEX log_blocks_small ON log_blocks (project_id, min_time, id) WHERE small = 1;

-- The signature of each block that is in no group yet: which trigrams its logs do not have.
CREATE TABLE log_signatures (
    project_id BIGINT NOT NULL,
    id         BIGINT NOT NULL,
    min_time   BIGINT NOT NULL,
    max_time   BIGINT NOT NULL,
    -- 1 while its block may still be merged: such a one is not put into a group.
    small      SMALLINT NOT NULL,
    -- Words, a power of two, and bytes of a word.
    width      INTEGER NOT NULL,
    lane       INTEGER NOT NULL,
    signature  BYTEA NOT NULL,
    PRIMARY KEY (project_id, min_time, id)
) PARTITION BY RANGE (min_time);
-- It is dense, and searches read slices of it.
ALTER TABLE log_signatures ALTER COLUMN signature SET STORAGE EXTERNAL;
CREATE INDEX log_signatures_by_end ON log_signatures (project_id, max_time, id);
CREATE INDEX log_signatures_by_id ON log_signatures (project_id, id);

-- Signatures of 64 blocks, turned: word for word, so that a search reads only the words that its trigrams need.
CREATE TABLE log_groups (
    project_id BIGINT NOT NULL,
    id         BIGINT NOT NULL,
    min_time   BIGINT NOT NULL,
    max_time   BIGINT NOT NULL,
    width      INTEGER NOT NULL,
    lane       INTEGER NOT NULL,
    -- Id, first and last time of each block: 64 times three numbers of 8 bytes, little-endian.
    members    BYTEA NOT NULL,
    PRIMARY KEY (project_id, min_time, id)
) PARTITION BY RANGE (min_time);
CREATE INDEX log_groups_by_end ON log_groups (project_id, max_time, id);

-- Three words of all of a group's blocks, so that a row stays within a quarter of a page.
CREATE TABLE log_slices (
    project_id BIGINT NOT NULL,
    group_id   BIGINT NOT NULL,
    -- The group's.
    min_time   BIGINT NOT NULL,
    slice      INTEGER NOT NULL,
    words      BYTEA NOT NULL,
    PRIMARY KEY (project_id, min_time, group_id, slice)
) PARTITION BY RANGE (min_time);
ALTER TABLE log_slices ALTER COLUMN words SET STORAGE EXTERNAL;

-- Rises whenever blocks of a project were merged or grouped: a search that sees it rise reads again.
CREATE TABLE log_moves (
    project_id BIGINT PRIMARY KEY,
    moves      BIGINT NOT NULL
);

-- Logs of each minute (milliseconds / 60,000), written with them: histograms and exact totals.
CREATE TABLE log_minutes (
    project_id BIGINT NOT NULL,
    origin     SMALLINT NOT NULL,
    minute     BIGINT NOT NULL,
    status     SMALLINT NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (project_id, origin, minute, status)
);

-- Logs of each hour (milliseconds / 3,600,000) by the value of a field: the choices in use, and how many logs each has.
-- Fields: 0 status, 1 status code, 2 method, 3 endpoint, 4 channel.
CREATE TABLE log_value_hours (
    project_id BIGINT NOT NULL,
    field      SMALLINT NOT NULL,
    origin     SMALLINT NOT NULL,
    hour       BIGINT NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (project_id, field, origin, hour, value)
);

-- The original of an import, encrypted, beside the log of the call that brought it.
CREATE TABLE import_files (
    project_id BIGINT NOT NULL,
    log_id     TEXT COLLATE "C" NOT NULL,
    name       TEXT NOT NULL,
    bytes      BIGINT NOT NULL,
    sealed     BYTEA NOT NULL,
    PRIMARY KEY (project_id, log_id)
);

-- First answers of calls that carried an Idempotency-Key, kept for 24 hours.
CREATE TABLE idempotency_keys (
    project_id  BIGINT NOT NULL,
    key         TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL,
    created_at  BIGINT NOT NULL,
    answer      TEXT NOT NULL,
    PRIMARY KEY (project_id, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
