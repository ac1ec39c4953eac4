-- The log of the log (origin `self`) is kept longer than what applications send, so blocks, signatures and groups of them are of one origin each:
-- 0 what applications sent, 1 this service's own. NULL: stored before, of both.
ALTER TABLE log_blocks ADD COLUMN origin SMALLINT;
ALTER TABLE log_signatures ADD COLUMN origin SMALLINT;
ALTER TABLE log_groups ADD COLUMN origin SMALLINT;

-- Small ones are merged, and old ones looked for, within an origin.
DROP INDEX log_blocks_small;
CREATE INDEX log_blocks_small ON log_blocks (project_id, origin, min_time, id) WHERE small = 1;
CREATE INDEX log_blocks_by_origin ON log_blocks (project_id, origin, min_time, id);

-- When what is left of a deleted project is looked at next; NULL until all that goes at once has gone. Its own log stays until its time is over.
ALTER TABLE projects ADD COLUMN purge_at BIGINT;
