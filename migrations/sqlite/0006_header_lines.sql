-- What a signature was made of: 0 headers as their JSON, 1 headers as lines, as searches look through them. Those made before are of the first form.
ALTER TABLE log_signatures ADD COLUMN form SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE log_groups ADD COLUMN form SMALLINT NOT NULL DEFAULT 0;
