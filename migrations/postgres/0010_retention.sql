-- How long a project's logs are kept, where somebody chose, and when its next purge is looked at.
CREATE TABLE retention (
    project_id  BIGINT PRIMARY KEY,
    -- Days; NULL for what the instance says.
    logs_days   INTEGER,
    -- Days, no more than the logs'; NULL for as long as the logs.
    bodies_days INTEGER,
    -- Milliseconds since 1970; NULL until a server has looked at the project.
    next_at     BIGINT
);

-- When a file had been kept for as long as its kind is: the row stays, and says so.
ALTER TABLE exports ADD COLUMN file_expired_at BIGINT;
CREATE INDEX exports_with_files ON exports (project_id, finished_at) WHERE file IS NOT NULL;
ALTER TABLE tasks ADD COLUMN files_expired_at BIGINT;
