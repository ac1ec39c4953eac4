-- Background tasks, the jobs that do them, and exports. Times are milliseconds since 1970, UTC.

-- The time of a project's latest task: created_at rises strictly, so that paging by it loses none.
CREATE TABLE task_clocks (
    project_id BIGINT PRIMARY KEY,
    last       BIGINT NOT NULL
);

CREATE TABLE tasks (
    project_id       BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    id               TEXT NOT NULL,
    updated_at       BIGINT NOT NULL,
    started_at       BIGINT,
    finished_at      BIGINT,
    type             TEXT NOT NULL,
    -- 0 ENQUEUED, 1 IN_PROGRESS, 2 DONE, 3 FAILED.
    status           SMALLINT NOT NULL,
    -- 0 SUCCESS, 1 FAILED, 2 UNKNOWN.
    operation_status SMALLINT,
    -- Percent.
    progress         SMALLINT NOT NULL,
    -- 1 where this service does the work; 0 where an application reports it.
    own              SMALLINT NOT NULL,
    request_id       TEXT,
    user_id          TEXT,
    -- Who asked: an e-mail address, or a key's name.
    by_whom          TEXT,
    log_id           TEXT,
    export_id        TEXT,
    -- JSON.
    parameters       TEXT,
    result           TEXT,
    -- The original of an import, and the records of it that were not taken: where in the files, name, bytes.
    file             TEXT,
    file_name        TEXT,
    file_bytes       BIGINT,
    rejected         TEXT,
    rejected_bytes   BIGINT,
    PRIMARY KEY (project_id, created_at)
);
CREATE UNIQUE INDEX tasks_by_id ON tasks (project_id, id);
CREATE INDEX tasks_by_status ON tasks (project_id, status, created_at);
CREATE INDEX tasks_by_type ON tasks (project_id, type, created_at);
CREATE INDEX tasks_by_request_id ON tasks (project_id, request_id, created_at) WHERE request_id IS NOT NULL;

-- Work that is left to do, one row a task; gone once it is done or given up.
CREATE TABLE jobs (
    id          INTEGER PRIMARY KEY,
    project_id  BIGINT NOT NULL,
    task_id     TEXT NOT NULL,
    kind        TEXT NOT NULL,
    -- JSON.
    payload     TEXT NOT NULL,
    -- Rises with each claim, so that no two workers' writings are taken for one another's.
    attempt     INTEGER NOT NULL,
    -- Claims that ended with a reason, and claims whose worker was never heard of again.
    failures    INTEGER NOT NULL,
    lost        INTEGER NOT NULL,
    run_at      BIGINT NOT NULL,
    -- Whose it is, and until when unless they are heard of. NULL: nobody's.
    holder      TEXT,
    lease_until BIGINT,
    UNIQUE (project_id, task_id)
);
CREATE INDEX jobs_due ON jobs (run_at, id);
CREATE INDEX jobs_leased ON jobs (project_id, lease_until) WHERE lease_until IS NOT NULL;

-- Why a task's tries failed.
CREATE TABLE job_failures (
    project_id BIGINT NOT NULL,
    task_id    TEXT NOT NULL,
    attempt    INTEGER NOT NULL,
    at         BIGINT NOT NULL,
    reason     TEXT NOT NULL,
    PRIMARY KEY (project_id, task_id, attempt)
);

CREATE TABLE exports (
    project_id      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    id              TEXT NOT NULL,
    finished_at     BIGINT,
    -- 0 SCHEDULED, 1 IN_PROGRESS, 2 DONE, 3 ERROR.
    status          SMALLINT NOT NULL,
    progress        SMALLINT NOT NULL,
    channel         TEXT NOT NULL,
    exported_object TEXT NOT NULL,
    format          TEXT,
    -- JSON, as it was asked for.
    parameters      TEXT NOT NULL,
    -- JSON: fields, filters and range as a page shows them.
    shown           TEXT NOT NULL,
    user_id         TEXT,
    by_whom         TEXT,
    task_id         TEXT,
    -- Where in the files; NULL while there is none.
    file            TEXT,
    file_name       TEXT,
    rows_count      BIGINT,
    bytes           BIGINT,
    sha256          TEXT,
    -- 1 where an application made it itself.
    reported        SMALLINT NOT NULL,
    error           TEXT,
    -- 1 once whoever asked has seen that it is over.
    told            SMALLINT NOT NULL,
    PRIMARY KEY (project_id, created_at, id)
);
CREATE UNIQUE INDEX exports_by_id ON exports (project_id, id);
CREATE INDEX exports_by_status ON exports (project_id, status, created_at, id);
CREATE INDEX exports_by_user ON exports (project_id, user_id, told) WHERE user_id IS NOT NULL;

-- Files that belong to nothing yet, or no longer: they are deleted unless what they belong to is stored first.
CREATE TABLE doomed_files (
    file       TEXT PRIMARY KEY,
    -- Not before this time, and not while this try of this task goes on.
    not_before BIGINT NOT NULL,
    project_id BIGINT NOT NULL,
    task_id    TEXT NOT NULL,
    attempt    INTEGER NOT NULL
);
