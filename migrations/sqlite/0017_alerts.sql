-- Alerts: on a shared view of the Logs tab, a count of logs or a share of failures within a window. Times are milliseconds since 1970, UTC.
CREATE TABLE alerts (
    project_id     BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id             TEXT NOT NULL,
    -- The view whose filters it watches; it stays as long as an alert watches it.
    view_id        TEXT NOT NULL,
    name           TEXT NOT NULL,
    -- 0 at least so many logs, 1 fewer than so many, 2 at least such a share of failures.
    kind           SMALLINT NOT NULL,
    -- Logs; of a share, tenths of a percent.
    threshold      BIGINT NOT NULL,
    -- Of a share: of fewer logs than these nothing follows.
    least_logs     BIGINT NOT NULL,
    window_minutes BIGINT NOT NULL,
    -- E-mail addresses, one a line.
    recipients     TEXT NOT NULL,
    active         BOOLEAN NOT NULL,
    -- Until when nothing is sent; NULL where it is not muted.
    muted_until    BIGINT,
    -- Logs that were made before are not counted.
    counts_since   BIGINT NOT NULL,
    -- Since when every log was counted.
    whole_since    BIGINT NOT NULL,
    firing         BOOLEAN NOT NULL,
    -- Whether it was told that it fires: what happens while it is muted is not.
    told           BOOLEAN NOT NULL,
    -- Since when it fires, or does not.
    since          BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    -- When somebody changed it last; rises with every change.
    changed_at     BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX alerts_of_view ON alerts (project_id, view_id);

-- How far a project's logs are counted: the number of its chain's entry.
CREATE TABLE alert_marks (
    project_id BIGINT NOT NULL PRIMARY KEY REFERENCES projects (id) ON DELETE CASCADE,
    mark       BIGINT NOT NULL
);

-- What each alert counted, by when the logs were made: in steps of ten seconds, or of a minute where its window is long.
CREATE TABLE alert_counts (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    alert_id   TEXT NOT NULL,
    step_at    BIGINT NOT NULL,
    logs       BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    PRIMARY KEY (project_id, alert_id, step_at)
);

-- What an alert did, and with which figures.
CREATE TABLE alert_history (
    project_id     BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id             TEXT NOT NULL,
    alert_id       TEXT NOT NULL,
    at             BIGINT NOT NULL,
    -- 0 fired, 1 back to normal, 2 still firing after it was muted, 3 tested, 4 the counts began, 5 some logs were not counted.
    what           SMALLINT NOT NULL,
    logs           BIGINT NOT NULL,
    failed         BIGINT NOT NULL,
    -- The condition of then, as in alerts.
    kind           SMALLINT NOT NULL,
    threshold      BIGINT NOT NULL,
    least_logs     BIGINT NOT NULL,
    window_minutes BIGINT NOT NULL,
    -- The window, and the view's filters of then.
    from_time      BIGINT NOT NULL,
    to_time        BIGINT NOT NULL,
    query          TEXT NOT NULL,
    -- Whether it was muted, so that nothing was sent.
    muted          BOOLEAN NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX alert_history_of_alert ON alert_history (project_id, alert_id, id);

-- Mails that tell of it, one an address.
CREATE TABLE alert_mails (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    alert_id   TEXT NOT NULL,
    entry_id   TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- 0 waiting, 1 sent, 2 given up.
    status     SMALLINT NOT NULL,
    attempts   BIGINT NOT NULL,
    -- When it is sent, or sent again; NULL where it is over.
    due_at     BIGINT,
    -- Why the last attempt failed.
    error      TEXT,
    PRIMARY KEY (project_id, id)
);
CREATE INDEX alert_mails_due ON alert_mails (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alert_mails_of_alert ON alert_mails (project_id, alert_id);
