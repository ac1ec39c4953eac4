-- A chain a project: an entry for each committed batch of logs and for each later change of a stored fact, each naming the one before.
-- What is hashed, byte by byte: docs/chain.md. Times are milliseconds since 1970, UTC; every digest is a SHA-256.

-- Where each project's chain ends.
CREATE TABLE chain_heads (
    project_id BIGINT PRIMARY KEY,
    number     BIGINT NOT NULL,
    digest     BYTEA NOT NULL
);

CREATE TABLE chain_entries (
    project_id BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    kind       SMALLINT NOT NULL,
    body       BYTEA NOT NULL,
    digest     BYTEA NOT NULL,
    -- Of an entry of logs: the number that its first log has, how many they are, and how many of them are still there.
    first_seq  BIGINT,
    logs       INTEGER,
    logs_left  INTEGER,
    PRIMARY KEY (project_id, number)
);
CREATE INDEX chain_entries_by_seq ON chain_entries (project_id, first_seq) WHERE first_seq IS NOT NULL;

-- The leaves of an entry of more than one log, one after another in the order of the logs' numbers; gone once all of those logs are.
CREATE TABLE chain_leaves (
    project_id BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    leaves     BYTEA NOT NULL,
    PRIMARY KEY (project_id, number)
);

-- Heads that were signed: kept for good, since somebody may hold one against the chain.
CREATE TABLE chain_signed (
    project_id BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    digest     BYTEA NOT NULL,
    at         BIGINT NOT NULL,
    key        BYTEA NOT NULL,
    signature  BYTEA NOT NULL,
    PRIMARY KEY (project_id, number)
);

-- What stands in place of entries that retention has taken: from the entry after which (before) up to and with which (digest).
CREATE TABLE chain_checkpoints (
    project_id   BIGINT NOT NULL,
    first_number BIGINT NOT NULL,
    last_number  BIGINT NOT NULL,
    entries      BIGINT NOT NULL,
    logs         BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    before       BYTEA NOT NULL,
    digest       BYTEA NOT NULL,
    key          BYTEA NOT NULL,
    signature    BYTEA NOT NULL,
    PRIMARY KEY (project_id, first_number)
);
CREATE INDEX chain_entries_spent ON chain_entries (project_id, number) WHERE logs_left <= 0 OR kind = 2 OR kind = 3;
