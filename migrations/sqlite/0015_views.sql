-- Saved views: the query of a tab under a name, one person's own or shared in the project.
CREATE TABLE views (
    project_id BIGINT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    id         TEXT NOT NULL,
    -- Who made it.
    user_id    BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tab        TEXT NOT NULL CHECK (tab IN ('logs', 'tasks', 'exports', 'sendouts')),
    name       TEXT NOT NULL,
    -- The name in lower case: what may be there once.
    folded     TEXT NOT NULL,
    shared     BOOLEAN NOT NULL,
    query      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (project_id, id)
);
CREATE UNIQUE INDEX views_of_one ON views (project_id, tab, user_id, folded) WHERE NOT shared;
CREATE UNIQUE INDEX views_of_all ON views (project_id, tab, folded) WHERE shared;
