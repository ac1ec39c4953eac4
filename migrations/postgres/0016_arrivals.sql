-- When the logs of an entry were made, the first and the last: whoever follows a project reads what came by it. Not part of what the entry's digest is of.
ALTER TABLE chain_entries ADD COLUMN from_time BIGINT;
ALTER TABLE chain_entries ADD COLUMN to_time BIGINT;
