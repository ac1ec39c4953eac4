-- A key's end, calls a minute of its own, and the token that it had before, which is taken until then.
ALTER TABLE api_keys ADD COLUMN expires_at BIGINT;
ALTER TABLE api_keys ADD COLUMN calls_a_minute BIGINT;
ALTER TABLE api_keys ADD COLUMN old_token_hash BLOB;
ALTER TABLE api_keys ADD COLUMN old_until BIGINT;
CREATE INDEX api_keys_by_old_token ON api_keys (old_token_hash) WHERE old_token_hash IS NOT NULL;
